"""Paths by WebRTC to a server of its own process: from a peer of ours, WHIP to WHEP, and through Chromium."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from mien import samples
from mien.emit.images import PictureEncoder
from mien.errors import MienError, SettingError
from mien.frame import Frame
from mien_bench.latency.impaired_run import ImpairedNetwork, impaired, wall_offset
from mien_bench.latency.path_run import NotAvailable, PathRun, PathSetup
from mien_bench.latency.programs import run_module, wait_for_end
from mien_bench.latency.sources import RATE, Pixels
from mien_bench.latency.trace import Observed
from mien_bench.network.impairment import NETWORKS

SCRIPT: Final = Path(__file__).with_name("peer.js")
CODEC: Final = "video/VP8"
"""What Chromium as Debian builds it encodes everywhere."""
_PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
_FLAGS: Final = (
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--disable-background-timer-throttling",
    "--no-sandbox",
)
_EVERY: Final = 2
"""The page shows every second picture of the driver, to transfer fewer."""
_START: Final = 180.0
"""Seconds that a session may take beside its frames."""


def through_session(setup: PathSetup) -> PathRun:
    """Camera and microphone there, picture and sound back, by one connection."""
    return _through(setup, "session")


def through_whip_and_whep(setup: PathSetup) -> PathRun:
    """Published by WHIP, watched by WHEP."""
    return _through(setup, "whip")


def portrait_id(portrait: Path) -> str:
    """Of a sample, as servers name it.

    Raises:
        SettingError: it is none of the samples.
    """
    for name, path in samples.portraits().items():
        if path == portrait:
            return name
    raise SettingError(f"portrait: expected a sample where a server is measured, got {portrait}; choose one of them")


def client_options(setup: PathSetup) -> Sequence[str]:
    """Of `mien_bench.latency.webrtc.client`."""
    width, height = setup.size
    given = ["--size", f"{width}x{height}", "--frames", str(setup.frames), "--portrait", portrait_id(setup.portrait)]
    given += [] if setup.sound else ["--silent"]
    given += ["--delays", ",".join(map(str, setup.delays))] if setup.delays else []
    return [*given, "--driver", str(setup.driver)] if setup.driver is not None else given


def _through(setup: PathSetup, signalling: str) -> PathRun:
    if setup.server is None:
        raise NotAvailable(f"{signalling}: expected a server, got none")
    with (
        TemporaryDirectory(prefix="mien-bench-") as folder,
        impaired(setup.network, setup.server.url, setup.seed) as (url, relays),
    ):
        seen = Path(folder) / "seen.json"
        arguments = [url, str(seen), "--signalling", signalling, *client_options(setup)]
        with run_module("mien_bench.latency.webrtc.client", arguments) as client:
            code = wait_for_end(client, setup.frames / float(RATE) + _START)
        if code != 0 or not seen.exists():
            raise MienError(f"{signalling}: expected a session of the server, got none (exit code {code})")
        report = json.loads(seen.read_text())
    notes = (f"{signalling}: the peer lost {report['lost']} frames before its encoder",) if report["lost"] else ()
    observed = Observed.from_json(report["observed"])
    impairment = None
    if setup.network is not None:
        silences = tuple((float(at), float(length)) for at, length in report["silences"]) if setup.sound else None
        impairment = ImpairedNetwork(NETWORKS[setup.network], relays, silences)
    return PathRun(
        observed, report["sent"], report["statistics"], tuple(report["held"]), notes=notes, impairment=impairment
    )


def through_browser(setup: PathSetup) -> PathRun:
    """A page of the server's own address; without sound, whose arrival a page cannot observe.

    Over a bad network a tone is sent and listened to, in which gaps are found.
    """
    if setup.server is None:
        raise NotAvailable("browser: expected a server, got none")
    if setup.delays or setup.losing is not None:
        raise NotAvailable("browser: faults are planted in other paths only")
    with impaired(setup.network, setup.server.url, setup.seed) as (url, relays), page_of(f"{url}/healthz") as page:
        page.set_default_timeout((setup.frames / float(RATE) + _START) * 1e3)
        page.evaluate(SCRIPT.read_text())
        report = page.evaluate("setup => window.mienBench.run(setup)", _page_options(setup))
    seen = report["seen"]
    codes = tuple(None if code is None else (int(code[0]), int(code[1])) for code in seen["codes"])
    observed = Observed(tuple(seen["at"]), codes, reading=tuple(seen["reading"]))
    drawing = report["drawing"] / max(report["sent"], 1) * 1e3
    notes = (
        f"browser: {CODEC}, {report['encoded']} of {report['sent']} frames encoded; drawing one took {drawing:.2f} ms",
        "browser: a picture counts as seen when the page hears that it is shown",
    )
    impairment = None
    if setup.network is not None:
        silences = tuple((float(at), float(length)) for at, length in report["silences"]) if setup.sound else None
        offset = wall_offset(report["origin"])
        impairment = ImpairedNetwork(NETWORKS[setup.network], relays, silences, report["concealed"], offset)
    return PathRun(observed, report["sent"], report["statistics"], notes=notes, impairment=impairment)


@contextmanager
def page_of(url: str) -> Iterator[Any]:
    """A page that has been opened in a headless Chromium.

    Raises:
        NotAvailable: Playwright or Chromium is missing.
        MienError: what the page raised.
    """
    program = next((found for name in _PROGRAMS if (found := shutil.which(name))), None)
    try:
        api = import_module("playwright.sync_api")
    except ImportError as error:
        raise NotAvailable("browser: expected the package playwright, got none; pip install 'mien[dev]'") from error
    if program is None:
        raise NotAvailable("browser: expected chromium, got none (Debian: apt-get install chromium)")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        try:
            page = chromium.new_page()
            page.goto(url)
            yield page
        except api.Error as error:
            raise MienError(f"browser: expected a session, got an error ({str(error).splitlines()[0]})") from error
        finally:
            chromium.close()


def _page_options(setup: PathSetup) -> dict[str, Any]:
    return {
        "jpegs": [_jpeg(picture) for picture in setup.pictures[::_EVERY]],
        "rate": float(RATE),
        "frames": setup.frames,
        "portrait": portrait_id(setup.portrait),
        "codec": CODEC,
        "sound": setup.network is not None and setup.sound,
    }


def _jpeg(pixels: Pixels) -> str:
    """As JSON can hold it."""
    encoded = PictureEncoder("jpeg", {}, "picture").encode(Frame(pixels, 0, 1 / RATE))
    return base64.b64encode(encoded).decode()
