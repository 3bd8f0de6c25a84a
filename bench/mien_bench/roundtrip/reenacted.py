"""One driver and one portrait, from file to file: the driver's motion, and the landmarks detected in the output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

import mien
from mien import api
from mien.chain import ReenactChain
from mien.clock import MonotonicClock
from mien.config import ReenactSettings
from mien.emit.compare import SheetSink
from mien.emit.sink import Sink
from mien.errors import FaceError
from mien.face.measures import channels_over_time
from mien.face.motion import Motion
from mien.frame import Frame
from mien.fuse.fuse import Fuse
from mien.machine.processor import usable_threads
from mien.parse.parser import Parser
from mien.pipeline import Stages, render
from mien.portrait.portrait import Portrait
from mien.posed import Posed
from mien.provenance import Provenance, own_version
from mien.reenact.reenact import Reenact
from mien.smooth.smooth import Smooth
from mien.stages import open_stages
from mien.stats import Statistics
from mien_bench.roundtrip.recording import Recording, read_recording

Array = NDArray[np.float64]
Track = tuple[Array | None, ...]
"""Landmarks (478, 3) of each frame, None where no face was found."""
_SETTLING = 5
"""Frames in which a tracking landmarker comes to rest on a still picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """A driver, frame by frame."""

    path: Path
    recording: Recording
    landmarks: tuple[Array | None, ...]
    """(478, 3) of each frame, None where no face was found."""
    motions: tuple[Motion | None, ...]
    channels: Array
    """(N, 5): `mien.face.measures.CHANNELS`, NaN without a face."""

    @property
    def name(self) -> str:
        return self.path.stem


def perform(path: Path, anyone: Portrait, settings: ReenactSettings) -> Performance:
    """Send a driver through the stages up to motion; any portrait does, since these stages never look at it.

    Raises:
        SourceError: the driver cannot be read.
        FaceError: no frame has a face.
    """
    landmarks: list[Array | None] = []
    motions: list[Motion | None] = []
    with mien.capture.open(path) as source, open_stages((anyone,), source, settings) as stages:
        for frame in source:
            if isinstance(frame, Frame):
                face = stages.parse(frame)
                landmarks.append(None if face is None else face.landmarks)
                motions.append(stages.motion(face, frame.seconds))
    if all(found is None for found in landmarks):
        raise FaceError(f"{path}: expected a face, got none in {len(landmarks)} frames; take another driver")
    return Performance(path, read_recording(path), tuple(landmarks), tuple(motions), channels_over_time(landmarks))


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The output of a run."""

    recording: Recording
    target: Track
    """The target shapes."""
    detected: Track
    """Landmarks detected in the decoded output with tracking; one for each decoded frame."""


def reenact(
    performance: Performance, portrait: Portrait, settings: ReenactSettings, sheet: Path | None = None
) -> Answer:
    """Render `portrait` driven by `performance` to H.264 in a folder that is deleted, and look at the result.

    Args:
        sheet: where a contact sheet is kept.
    """
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        output = Path(folder) / "answer.mp4"
        target = _render(performance, portrait, settings, output, sheet)
        return Answer(read_recording(output), target, measure_output(output))


def measure_output(path: Path) -> Track:
    """The landmarks of every frame of a video file that decodes."""
    with mien.capture.open(path) as source, Parser(hints=False) as parser:
        faces = (parser(item) for item in source if isinstance(item, Frame))
        return tuple(None if face is None else face.landmarks for face in faces)


def seen_at_rest(portrait: Portrait, settings: ReenactSettings) -> tuple[Array, Array | None]:
    """The portrait without any motion: the target shape, and what the landmarker, tracking, finds in the picture."""
    threads = _threads(settings)
    posed = Reenact((portrait,), threads)(None, 0.0)
    shape = posed[0].landmarks.copy()
    pixels = Fuse(settings.mouth, threads, wrinkles=settings.wrinkles)(posed)
    with Parser(hints=False) as parser:
        faces = [parser(Frame(pixels, number, Fraction(1, 25))) for number in range(_SETTLING)]
    return shape, None if faces[-1] is None else faces[-1].landmarks


def _render(
    performance: Performance, portrait: Portrait, settings: ReenactSettings, output: Path, sheet: Path | None
) -> Track:
    clock, targets = MonotonicClock(), list[Array]()
    with ExitStack() as stack:
        source = stack.enter_context(mien.capture.open(performance.path))
        record = Provenance(own_version(), settings.model, (portrait.digest,), "")
        made = api.sink_settings(portrait.size, source.info, record)
        sink: Sink = mien.emit.open(str(output), made, mark=settings.mark)
        if sheet is not None:
            sink = SheetSink(sheet, sink, made.metadata, mark=settings.mark)
        stack.enter_context(sink)
        stages = _stages(performance, portrait, settings, targets)
        render(source, stages, sink, Statistics(clock), clock)
    return tuple(targets)


def _stages(
    performance: Performance, portrait: Portrait, settings: ReenactSettings, targets: list[Array]
) -> Stages[Array, Motion]:
    """The rooms from `reenact` on, fed with a performance; what `reenact` aims at is noted in `targets`."""
    threads = _threads(settings)
    motions: Iterator[Motion | None] = iter(performance.motions)
    faces = iter(performance.landmarks)
    chain = ReenactChain(
        _Noting(targets, (portrait,), threads),
        None,
        Fuse(settings.mouth, threads, wrinkles=settings.wrinkles),
        Smooth(settings.smooth, threads),
    )
    return Stages(lambda _: next(faces), lambda _face, _seconds: next(motions), chain)


class _Noting(Reenact):
    """Notes the shapes that it aims at."""

    def __init__(self, targets: list[Array], portraits: tuple[Portrait, ...], threads: int) -> None:
        super().__init__(portraits, threads)
        self._targets = targets

    def __call__(self, motion: Motion | None, seconds: float) -> tuple[Posed, ...]:
        posed = super().__call__(motion, seconds)
        self._targets.append(max(posed, key=lambda one: one.weight).landmarks.copy())
        return posed


def _threads(settings: ReenactSettings) -> int:
    return settings.threads or usable_threads()
