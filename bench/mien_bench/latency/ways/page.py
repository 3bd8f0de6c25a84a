"""The path through a real browser: Chromium sends coded pictures from a canvas, and reads those that it shows."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from mien.emit.images import PictureEncoder
from mien.errors import MienError
from mien.frame import Frame
from mien_bench.latency import browser
from mien_bench.latency.crossing import Crossing, crossed, wall_offset
from mien_bench.latency.passage import NotHere, Passage
from mien_bench.latency.trace import Sight
from mien_bench.latency.ways.peers import portrait_id
from mien_bench.latency.wish import Wish
from mien_bench.live.camera import RATE, Pixels
from mien_bench.network.profiles import NETWORKS

SCRIPT: Final = Path(browser.__file__).with_name("peer.js")
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
"""Of the driver's pictures that the page shows: fewer to hand over."""
_BEGINNING: Final = 180.0
"""Seconds that a session may take beside its frames."""


def through_browser(wish: Wish) -> Passage:
    """A page of the server's own address; without sound, whose arrival a page does not tell.

    Over a bad network a tone is sent and listened to, in which gaps are found.
    """
    if wish.server is None:
        raise NotHere("browser: expected a server, got none")
    if wish.delays or wish.losing is not None:
        raise NotHere("browser: faults are planted in other paths only")
    with crossed(wish.network, wish.server.url, wish.seed) as (url, relays), page_of(f"{url}/healthz") as page:
        page.set_default_timeout((wish.frames / float(RATE) + _BEGINNING) * 1e3)
        page.evaluate(SCRIPT.read_text())
        told = page.evaluate("wish => window.mienBench.run(wish)", _wish(wish))
    seen = told["seen"]
    codes = tuple(None if code is None else (int(code[0]), int(code[1])) for code in seen["codes"])
    sight = Sight(tuple(seen["at"]), codes, reading=tuple(seen["reading"]))
    drawing = told["drawing"] / max(told["sent"], 1) * 1e3
    notes = (
        f"browser: {CODEC}, {told['encoded']} of {told['sent']} frames were encoded; drawing one took {drawing:.2f} ms",
        "browser: a picture counts as seen when the page is told that it is shown",
    )
    crossing = None
    if wish.network is not None:
        silences = tuple((float(at), float(length)) for at, length in told["silences"]) if wish.sound else None
        offset = wall_offset(told["origin"])
        crossing = Crossing(NETWORKS[wish.network], relays, silences, told["concealed"], offset)
    return Passage(sight, told["sent"], told["statistics"], notes=notes, crossing=crossing)


@contextmanager
def page_of(url: str) -> Iterator[Any]:
    """A page that has been opened in a headless Chromium.

    Raises:
        NotHere: Playwright or Chromium is missing.
        MienError: what the page raised.
    """
    program = next((found for name in _PROGRAMS if (found := shutil.which(name))), None)
    try:
        api = import_module("playwright.sync_api")
    except ImportError as error:
        raise NotHere("browser: expected the package playwright, got none; pip install 'mien[dev]'") from error
    if program is None:
        raise NotHere("browser: expected chromium, got none (Debian: apt-get install chromium)")
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


def _wish(wish: Wish) -> dict[str, Any]:
    return {
        "jpegs": [_jpeg(picture) for picture in wish.pictures[::_EVERY]],
        "rate": float(RATE),
        "frames": wish.frames,
        "portrait": portrait_id(wish.portrait),
        "codec": CODEC,
        "sound": wish.network is not None and wish.sound,
    }


def _jpeg(pixels: Pixels) -> str:
    """As JSON can hold it."""
    encoded = PictureEncoder("jpeg", {}, "picture").encode(Frame(pixels, 0, 1 / RATE))
    return base64.b64encode(encoded).decode()
