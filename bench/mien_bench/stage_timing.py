"""The time of each stage of one frame, one stage after the other, without decode and encode; what they allocate.

On a GPU, events lie on the stream of a session around what it runs, with NVTX ranges for a profiler. Nothing waits for
the GPU because of it: events are read when all is done. Not run on a GPU yet.
"""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.chain import open_chain
from mien.clock import Clock, MonotonicClock
from mien.config import WARP, ReenactSettings
from mien.face.face import Face
from mien.face.motion import Motion
from mien.frame import Frame
from mien.machine.processor import usable_threads
from mien.manifest import Bundle
from mien.pipeline import Stages
from mien.portrait.portrait import Portrait
from mien.runtime.opening import open_session
from mien.runtime.session import Buffers, GraphSession
from mien.runtime.sharing import SharedGraphs
from mien.stages import open_driver
from mien.stats import UNTIMED, Laps, LatencySummary, Statistics, Stopwatch
from mien.style.opening import MODEL as STYLES
from mien_bench.memory import counted
from mien_bench.results import Check, Fact

FaceT = TypeVar("FaceT")
MotionT = TypeVar("MotionT")

WHOLE = "frame"
"""Name of the sum over all stages."""
COUNTED: Final = 10
"""Frames on which allocations are counted, beside those that are timed."""
MOVES: Final = 0.05
"""Mean grey levels by which the last picture must differ from the first, since the portrait moves."""
_TASKS = Path("/proc/self/task")


def measure(
    stages: Stages[FaceT, MotionT],
    frames: Sequence[Frame],
    warm_up: int,
    clock: Clock,
    shown: Callable[[NDArray[np.uint8]], None] = lambda pixels: None,
) -> Statistics:
    """Send `frames` through `stages` on the calling thread; the first `warm_up` frames are not counted.

    Stages still use the threads that they were given, but no two stages run at once, so each has the machine to itself.

    `shown` is given every picture, outside of what is timed.
    """
    for frame in frames[:warm_up]:
        shown(answer(stages, frame, UNTIMED))
    statistics = Statistics(clock)
    statistics.announce(*stages.names)
    laps, whole = Stopwatch(statistics, clock), Stopwatch(statistics, clock)
    for frame in frames[warm_up:]:
        statistics.frames_in += 1
        whole.begin()
        pixels = answer(stages, frame, laps)
        whole.lap(WHOLE)
        shown(pixels)
        statistics.frames_out += 1
    statistics.end()
    return statistics


def answer(stages: Stages[FaceT, MotionT], frame: Frame, laps: Laps) -> NDArray[np.uint8]:
    """The picture that answers a frame; `laps` is called after every stage."""
    laps.begin()
    face = stages.parse(frame)
    laps.lap("parse")
    motion = stages.motion(face, frame.seconds)
    laps.lap("motion")
    return stages.chain(motion, frame, "full", laps)


class Timed:
    """A session whose runs lie between two CUDA events. For sessions with a `stream` (TensorRT)."""

    def __init__(self, session: GraphSession, name: str) -> None:
        self._session: Any = session
        self._name = name
        self._cuda: Any = import_module("cupy").cuda
        self._pairs: list[tuple[Any, Any]] = []
        self.backend, self.precision, self.threads = session.backend, session.precision, session.threads

    @property
    def inputs(self) -> Buffers:
        found: Buffers = self._session.inputs
        return found

    @property
    def outputs(self) -> Buffers:
        found: Buffers = self._session.outputs
        return found

    def run(self) -> None:
        begin, end = self._cuda.Event(), self._cuda.Event()
        self._cuda.nvtx.RangePush(self._name)
        begin.record(self._session.stream)
        self._session.run()
        end.record(self._session.stream)
        self._cuda.nvtx.RangePop()
        self._pairs.append((begin, end))

    def close(self) -> None:
        self._session.close()

    def milliseconds(self) -> list[float]:
        """Of all runs so far; begins anew."""
        pairs, self._pairs = self._pairs, []
        if pairs:
            pairs[-1][1].synchronize()
        return [float(self._cuda.get_elapsed_time(begin, end)) for begin, end in pairs]


def why_not() -> str | None:
    """Why there is nothing to time on a GPU here; None where there is."""
    try:
        cuda: Any = import_module("cupy").cuda
    except ImportError:
        return "CUDA: not measured, cupy is not installed (pip install 'mien[gpu]')"
    try:
        count = cuda.runtime.getDeviceCount()
    except cuda.runtime.CUDARuntimeError as error:
        return f"CUDA: not measured, no GPU or driver ({error})"
    return None if count else "CUDA: not measured, there is no GPU"


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings of a run."""

    settings: ReenactSettings
    precision: str | None = None
    """Of the generator; None: what the backend chooses."""

    def condition(self) -> dict[str, Fact]:
        """For rows."""
        settings = self.settings
        about: dict[str, Fact] = {"model": settings.model, "size": settings.size or 0}
        if settings.model != WARP:
            about |= {"backend": settings.backend, "precision": self.precision or "chosen"}
        if settings.style is not None:
            about["style"] = settings.style
        return about | {"threads": settings.threads or usable_threads()}


@dataclass(frozen=True, slots=True)
class Run:
    """One repetition."""

    stages: dict[str, LatencySummary]
    """Milliseconds; "frame" is the whole."""
    processor_ms: float
    """Of all threads, for a frame."""
    threads: int
    """Of the process while it ran."""
    device_ms: tuple[float, ...]
    """Of each run of the generator on a GPU, by events; empty elsewhere."""
    fresh_mb: float
    """Newly mapped memory for a frame (10^6 bytes): page faults times the page size."""
    allocated: dict[str, tuple[float, float]]
    """By stage: arrays that it made for a frame, and their megabytes."""
    pictures: list[NDArray[np.uint8]] = field(repr=False)
    """The first and the last that were made."""
    about: str = ""


def run_stages(setup: Setup, portraits: tuple[Portrait, ...], frames: Sequence[Frame], warm_up: int) -> Run:
    """Open, warm up, time, count, close.

    Raises:
        MienError: the setup cannot be run here.
    """
    with _opened(setup, portraits) as (stages, sessions):
        made: list[NDArray[np.uint8]] = []
        watched = [session for session in sessions if isinstance(session, Timed)]
        began = _used()
        statistics = measure(stages, frames, warm_up, MonotonicClock(), lambda pixels: _keep(pixels, made))
        used = tuple(after - before for before, after in zip(began, _used(), strict=True))
        threads = threading.active_count() if not _TASKS.is_dir() else len(list(_TASKS.iterdir()))
        device = [value for session in watched for value in session.milliseconds()[warm_up:]]
        allocated = _allocated(stages, frames[-COUNTED:])
    return Run(
        statistics.latencies(),
        used[0] / len(frames) * 1e3,
        threads,
        tuple(device),
        used[1] / len(frames) * resource.getpagesize() / 1e6,
        allocated,
        [made[0].copy(), made[-1].copy()],
        stages.chain.about,
    )


@contextmanager
def _opened(setup: Setup, portraits: tuple[Portrait, ...]) -> Iterator[tuple[Stages[Face, Motion], list[GraphSession]]]:
    """The stages of a live run, at their best level."""
    sessions: list[GraphSession] = []

    def load(bundle: Bundle, graph: str, backend: str, precision: str | None, threads: int) -> GraphSession:
        painted = bundle.family != STYLES and bundle.runs(graph) == "frame"
        wanted = setup.precision if painted and setup.precision is not None else precision
        session = open_session(bundle, graph, backend, wanted, threads)
        if hasattr(session, "stream") and why_not() is None:
            session = Timed(session, graph)
        sessions.append(session)
        return session

    graphs, threads = SharedGraphs(load), setup.settings.threads or usable_threads()
    with open_driver(setup.settings) as driver:
        chain = open_chain(portraits, setup.settings, threads, graphs=graphs)
        try:
            yield Stages(driver.parse, driver.motion, chain), sessions
        finally:
            chain.close()
            graphs.close()


def moves(name: str, run: Run) -> Check:
    """Whether the pictures of a run moved; `name` says whose it is."""
    apart = apart_by(run.pictures[0], run.pictures[1])
    return Check(f"{name}: moves", f">= {MOVES:g} levels", f"{apart:.2f}", apart >= MOVES)


def apart_by(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean difference of two pictures of one shape in grey levels."""
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean())


def _keep(pixels: NDArray[np.uint8], made: list[NDArray[np.uint8]]) -> None:
    """Keeps the first and the newest picture."""
    made[1:] = [pixels]


class _Counting:
    """Laps that count what each stage allocates."""

    def __init__(self) -> None:
        self.sums: dict[str, tuple[int, int]] = {}
        """Arrays and bytes by stage."""
        self._stack = ExitStack()

    def begin(self) -> None:
        self._stack.close()
        self._found = self._stack.enter_context(counted())

    def lap(self, stage: str) -> None:
        self._stack.close()
        arrays, size = self.sums.get(stage, (0, 0))
        self.sums[stage] = arrays + self._found.arrays, size + self._found.bytes
        self.begin()

    def end(self) -> None:
        self._stack.close()


def _allocated(stages: Stages[Face, Motion], frames: Sequence[Frame]) -> dict[str, tuple[float, float]]:
    counting = _Counting()
    for frame in frames:
        answer(stages, frame, counting)
    counting.end()
    return {name: (arrays / len(frames), size / len(frames) / 1e6) for name, (arrays, size) in counting.sums.items()}


def _used() -> tuple[float, float]:
    """Processor seconds of all threads, and page faults, so far."""
    return time.process_time(), float(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
