"""Paths by WebRTC to a server of its own process and back to a peer of another: one connection, or WHIP to WHEP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mien import samples
from mien.errors import MienError, SettingError
from mien_bench.latency.crossing import Crossing, crossed
from mien_bench.latency.passage import NotHere, Passage
from mien_bench.latency.process import ended, module
from mien_bench.latency.trace import Sight
from mien_bench.latency.wish import Wish
from mien_bench.live.camera import RATE
from mien_bench.network.profiles import NETWORKS

_BEGINNING = 180.0
"""Seconds that a session may take beside its frames."""


def through_session(wish: Wish) -> Passage:
    """Camera and microphone there, picture and sound back, by one connection."""
    return _through(wish, "session")


def through_whip_and_whep(wish: Wish) -> Passage:
    """Published by WHIP, watched by WHEP."""
    return _through(wish, "whip")


def portrait_id(portrait: Path) -> str:
    """Of a sample, as servers name it.

    Raises:
        SettingError: it is none of the samples.
    """
    for name, path in samples.portraits().items():
        if path == portrait:
            return name
    raise SettingError(f"portrait: expected a sample where a server is measured, got {portrait}; choose one of them")


def client_options(wish: Wish) -> Sequence[str]:
    """Of `mien_bench.latency.webrtc.client`."""
    width, height = wish.size
    given = ["--size", f"{width}x{height}", "--frames", str(wish.frames), "--portrait", portrait_id(wish.portrait)]
    given += [] if wish.sound else ["--silent"]
    given += ["--delays", ",".join(map(str, wish.delays))] if wish.delays else []
    return [*given, "--driver", str(wish.driver)] if wish.driver is not None else given


def _through(wish: Wish, way: str) -> Passage:
    if wish.server is None:
        raise NotHere(f"{way}: expected a server, got none")
    with (
        TemporaryDirectory(prefix="mien-bench-") as folder,
        crossed(wish.network, wish.server.url, wish.seed) as (url, relays),
    ):
        seen = Path(folder) / "seen.json"
        arguments = [url, str(seen), "--way", way, *client_options(wish)]
        with module("mien_bench.latency.webrtc.client", arguments) as client:
            code = ended(client, wish.frames / float(RATE) + _BEGINNING)
        if code != 0 or not seen.exists():
            raise MienError(f"{way}: expected a session of the server, got none (exit code {code})")
        told = json.loads(seen.read_text())
    notes = (f"{way}: the peer lost {told['lost']} frames before its encoder",) if told["lost"] else ()
    sight = Sight.from_json(told["sight"])
    crossing = None
    if wish.network is not None:
        silences = tuple((float(at), float(length)) for at, length in told["silences"]) if wish.sound else None
        crossing = Crossing(NETWORKS[wish.network], relays, silences)
    return Passage(sight, told["sent"], told["statistics"], tuple(told["held"]), notes=notes, crossing=crossing)
