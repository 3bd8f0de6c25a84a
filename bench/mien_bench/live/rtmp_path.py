"""A whole session over RTMP, encoded, to a listener of FFmpeg's in another program."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.clock import MonotonicClock
from mien.config import ReenactSettings
from mien.errors import MienError
from mien.live.session import LiveRequest, LiveSession, open_live
from mien.pipeline.emitter import CAPTURE_TO_EMIT
from mien_bench.latency.programs import run_module
from mien_bench.latency.sources import Pixels, Stamped, camera
from mien_bench.live.rtmp_receiver import LISTENING, Arrived
from mien_bench.live.runs import TrialResult
from mien_bench.memory import resident
from mien_bench.results import Chart, Check, Line, Row

LIPS: Final = 40.0
"""Milliseconds by which sound may be off its picture."""
DRIFT: Final = 5.0
"""Milliseconds by which that may change from the first quarter to the last."""
GROWN: Final = 8.0
"""Megabytes by which the process may grow from the first quarter to the last."""
SLOWER: Final = 1.2
"""How much longer pictures may take in the last quarter than in the first."""
_ENDING: Final = 60.0


@dataclass(slots=True)
class RtmpRun:
    """The engine's statistics of a session, once a second."""

    at: list[float] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)
    """Milliseconds from capture to emit, of the latest pictures."""
    megabytes: list[float] = field(default_factory=list)
    statistics: dict[str, Any] = field(default_factory=dict)
    about: str = ""


def through(portrait: Path, pictures: list[Pixels], settings: ReenactSettings, seconds: float) -> TrialResult:
    """Run for so long, with sound, and judge what arrived."""
    with _listener() as (address, process, answer):
        source = Stamped(camera(pictures, MonotonicClock()), MonotonicClock())
        request = LiveRequest((str(portrait),), source, address, replace(settings, measured=True))
        watched = asyncio.run(_watched(request, seconds))
        try:
            process.wait(_ENDING)
            arrived = Arrived(**json.loads(answer.read_text()))
        except (subprocess.TimeoutExpired, OSError) as error:
            raise MienError(f"bench live: expected the listener to end with the stream, got {error!r}") from error
    return judged(watched, arrived)


def judged(watched: RtmpRun, arrived: Arrived) -> TrialResult:
    """The targets of a session over RTMP."""
    when, off = arrived.offsets()
    late = np.array(off) * 1e3
    frames = watched.statistics["frames"]
    if not len(late) or len(watched.at) < 8:
        came = f"{len(arrived.times)} pictures, {len(late)} bursts"
        return TrialResult([Check("path: what arrived", "pictures with sound", came, False)])
    first, last = quarters(late)
    checks = [
        Check(
            "path: sound off its picture", f"<= {LIPS:g} ms", _statistics_rows(late), float(np.abs(late).max()) <= LIPS
        ),
        _flat("path: that, last quarter - first", abs(last - first), DRIFT, "ms"),
        _ratio("path: latency, last quarter / first", watched.latency),
        _flat("path: memory, last quarter - first", -float(np.subtract(*quarters(watched.megabytes))), GROWN, "MB"),
        Check("path: pictures that arrived", ">= 95% of those captured", *_share(len(arrived.times), frames["in"])),
    ]
    ages = np.array(arrived.ages) * 1e3
    rows = [
        Row("audio lag behind video", "ms", tuple(late), "neither", {"trial": "path"}, each="burst"),
        Row("capture to decoded at the far end, median", "ms", (float(np.median(ages)),), "lower", {"trial": "path"}),
        Row("memory, most", "MB", (max(watched.megabytes),), "lower", {"trial": "path"}),
        *(
            Row(f"at level {level}", "%", (100 * fraction,), "neither", {"trial": "path"})
            for level, fraction in watched.statistics["live"]["levels"].items()
        ),
    ]
    return TrialResult(checks, rows, _charts(watched, when, late))


def quarters(values: Sequence[float] | NDArray[np.float64]) -> tuple[float, float]:
    """Medians of the first and the last quarter."""
    count = max(len(values) // 4, 1)
    return float(np.median(values[:count])), float(np.median(values[-count:]))


def _statistics_rows(late: NDArray[np.float64]) -> str:
    return f"{np.abs(late).max():.1f} ms at most (median {np.median(late):+.1f}, {len(late)} bursts)"


def _flat(name: str, change: float, most: float, unit: str) -> Check:
    return Check(
        name, f"<= {most:g} {unit}", f"{change:+.2f} {unit}", change <= most if unit == "MB" else abs(change) <= most
    )


def _ratio(name: str, values: list[float]) -> Check:
    first, last = quarters(values)
    return Check(name, f"<= {SLOWER:g}", f"{last / first:.2f} ({first:.1f} to {last:.1f} ms)", last / first <= SLOWER)


def _share(count: int, of: int) -> tuple[str, bool]:
    fraction = count / max(of, 1)
    return f"{fraction:.1%} of {of}", fraction >= 0.95


def _charts(watched: RtmpRun, when: list[float], late: NDArray[np.float64]) -> list[Chart]:
    def line(name: str, x: Sequence[float], y: Sequence[float], drawn: Any = "line") -> Line:
        return Line(name, tuple(x), tuple(float(value) for value in y), drawn)

    return [
        Chart("Sound after its picture", "s", "ms", (line("bursts", when, list(late), "points"),), limit=LIPS),
        Chart("Memory of a session", "s", "MB", (line("resident", watched.at, watched.megabytes),)),
        Chart("Latency of a session", "s", "ms", (line("capture to emit", watched.at, watched.latency),)),
    ]


async def _watched(request: LiveRequest, seconds: float) -> RtmpRun:
    watched = RtmpRun()
    async with open_live(request) as session:
        watched.about = session.backend
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(_watch(session, watched))
            asyncio.get_running_loop().call_later(seconds, session.stop)
            await session.run()
            watching.cancel()
        watched.statistics = session.statistics.as_json()
    return watched


async def _watch(session: LiveSession, watched: RtmpRun) -> None:
    began = session.statistics.seconds
    while True:
        await asyncio.sleep(1.0)
        if session.statistics.frames_out:
            watched.at.append(session.statistics.seconds - began)
            watched.latency.append(session.statistics.stage(CAPTURE_TO_EMIT).recent * 1e3)
            watched.megabytes.append(resident())


@contextmanager
def _listener() -> Iterator[tuple[str, subprocess.Popen[str], Path]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"rtmp://127.0.0.1:{probe.getsockname()[1]}/live/one"
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        answer = Path(folder) / "arrived.json"
        receiver = "mien_bench.live.rtmp_receiver"
        with run_module(receiver, [address, str(answer)], LISTENING, said=None) as process:
            yield address, process, answer
