"""What a program needs: prepare a portrait, animate it; and the whole of `mien reenact` as one call."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Generator, Sequence
from contextlib import ContextDecorator, ExitStack, closing, suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien import capture, emit
from mien.align import aligned, even, fitted, sized
from mien.capture import image
from mien.capture.source import Source, SourceInfo
from mien.clock import MonotonicClock
from mien.config import ALPHA, ReenactSettings, need_size
from mien.emit.opening import need_place
from mien.emit.sheet import SheetSink, need_sheet_place
from mien.emit.sink import Sink, SinkSettings
from mien.errors import FaceError, SettingError, SinkError
from mien.face.pose import fit_pose
from mien.face.turns import turned_pixels
from mien.frame import Frame
from mien.parse.find import find_faces, find_turned, refine
from mien.parse.models import FaceMesh, segment_person
from mien.pipeline import Progress, render, stream
from mien.portrait import Portrait
from mien.provenance import Provenance, record
from mien.reenact.prepare import prepare_portrait
from mien.stages import open_stages
from mien.stats import Statistics
from mien.threads import usable_threads

Pixels = NDArray[np.uint8]
Picture = str | os.PathLike[str] | Pixels
"""A file, or (H, W, 3) uint8 sRGB."""

LOOKED_AT = 1024
"""Longer side in pixels of a picture in which the way that it is held is looked for."""
LARGEST = 2048
"""Longer side in pixels of a portrait that is prepared without a wish for its size."""
_LENIENT: ContextDecorator = np.errstate(under="ignore")
"""Weights that fade to nothing underflow, which means nothing: a program that has NumPy raise for it is not told."""


@_LENIENT
def prepare(picture: Picture, *more: Picture, size: int | None = None, largest: int = LARGEST) -> tuple[Portrait, ...]:
    """Measure the face of a portrait, once; `animate` then moves it as often as wanted.

    Args:
        picture: a file, or an array (H, W, 3) uint8 sRGB. Of several faces the largest is taken.
        more: further pictures of the same person, seen from other sides. The one nearest in pose to the driver answers;
            all are aligned with the first, which also says how large the output is.
        size: longer side of the output in pixels; None: as large as the picture, at most `largest`.

    Returns:
        One portrait per picture, all of one even width and height.

    Raises:
        SourceError: a picture cannot be read.
        FaceError: a picture has no face, or one that is too small or turned away.
        SettingError: something that is no picture, or a size out of range.
    """
    need_size(size)
    with FaceMesh(still=True, most=5) as mesh:
        first = _prepared(even(_upright(sized(_read(picture), size, largest), mesh)), _name(picture), mesh)
        others = [_aligned_with(first, other, mesh) for other in more]
    return (first, *others)


@_LENIENT
def prepare_to_fit(size: tuple[int, int], picture: Picture, *more: Picture) -> tuple[Portrait, ...]:
    """As `prepare`, with an output of exactly `size` (width, height): scaled to cover it, and cut around the face.

    Raises:
        SourceError, FaceError: as `prepare`.
    """
    with FaceMesh(still=True, most=5) as mesh:
        pixels, name = _upright(_read(picture), mesh), _name(picture)
        x, y = _landmarks(sized(pixels, None, LARGEST), mesh)[:, :2].mean(axis=0)
        share = max(pixels.shape[:2]) / min(max(pixels.shape[:2]), LARGEST)
        first = _prepared(fitted(pixels, (x * share, y * share), size), name, mesh)
        others = [_aligned_with(first, other, mesh) for other in more]
    return (first, *others)


def animate(
    portrait: Portrait | Sequence[Portrait], source: Source, settings: ReenactSettings | None = None
) -> Generator[Frame, None, None]:
    """The moving portrait: one frame for each frame of `source`, with its time and, in `answers`, the frame itself.

    Worker threads run ahead by a few frames. The source is closed at the end, and when the generator is: by `close`,
    when nothing refers to it any more, or when the program ends.

    Args:
        portrait: what `prepare` gave.
        source: what `mien.capture.open` gave, or any other `Source`.
        settings: how to move; `size` is decided by `prepare` and ignored, as is `mark`.

    Raises:
        SourceError: the source has no frame that decodes.
        FaceError: the source shows no face.
        SettingError: no portrait, or something that is no source; when it is called, not with the first frame.
    """
    portraits = _several(portrait)
    if not portraits:
        raise SettingError("portrait: expected at least one, got none; see mien.prepare")
    if not hasattr(source, "info"):
        raise SettingError(f"source: expected what mien.capture.open gives, got {_kind(source)}; open it first")
    frames = _animated(portraits, source, settings or ReenactSettings())
    _close_at_exit(frames)
    return frames


def _animated(
    portraits: tuple[Portrait, ...], source: Source, settings: ReenactSettings
) -> Generator[Frame, None, None]:
    clock = MonotonicClock()
    with source, open_stages(portraits, source, settings) as stages:
        items = stream(source, stages, Statistics(clock), clock)
        with closing(items):
            yield from (item for item in items if isinstance(item, Frame))


def _close_at_exit(frames: Generator[Frame, None, None]) -> None:
    """Have `frames` closed before the interpreter is taken down, if they still are open then.

    Its worker threads compute in native code, which does not survive that: the program would hang or be aborted.
    """
    left = weakref.ref(frames)

    def close() -> None:
        open_still = left()
        if open_still is not None:
            with suppress(ValueError):  # some thread is waiting for its next frame
                open_still.close()

    weakref.finalize(frames, close)


def render_file(
    pictures: Sequence[str | os.PathLike[str]],
    driver: str | os.PathLike[str],
    output: str | os.PathLike[str],
    settings: ReenactSettings | None = None,
    *,
    start: float = 0.0,
    duration: float | None = None,
    compare: bool = False,
    sheet: Path | None = None,
    begun: Callable[[int | None, str], None] | None = None,
    progress: Progress | None = None,
) -> Statistics:
    """All of `mien reenact`: from files to a file, which appears whole or not at all and replaces one of its name.

    Args:
        pictures: of one person; see `prepare`.
        driver: see `mien.capture.open`, also for `start` and `duration` in seconds.
        output: see `mien.emit.open`.
        compare: show the driver on the left.
        sheet: where a contact sheet goes, too.
        begun: told, when the first frame is about to be made, how many are to come, None where unknown, and what makes
            them.
        progress: told the statistics after each frame.

    Raises:
        MienError: anything that the user can cure, in one line.
    """
    settings = settings or ReenactSettings()
    for given in (*pictures, driver):
        need_other_file(output, given)
        if sheet is not None:
            need_other_file(sheet, given)
    need_place(os.fspath(output))
    if sheet is not None:
        need_sheet_place(sheet)
    clock, threads = MonotonicClock(), settings.threads or usable_threads()
    with ExitStack() as stack:
        source = stack.enter_context(capture.open(driver, start=start, duration=duration, threads=max(threads // 2, 1)))
        portraits = prepare(*pictures, size=settings.size)
        made = sink_settings(portraits[0].size, source.info, record(pictures, settings, version("mien")))
        made = replace(made, alpha=settings.background == ALPHA)
        beside = (source.info.width, source.info.height) if compare else None
        sink: Sink = emit.open(output, made, mark=settings.mark, beside=beside, threads=threads, waits=True)
        if sheet is not None:
            sink = SheetSink(sheet, sink, made.metadata, mark=settings.mark)
        stack.enter_context(sink)
        stages = stack.enter_context(open_stages(portraits, source, settings))
        if begun is not None:
            begun(source.info.frame_count, stages.about)
        statistics = Statistics(clock)
        render(source, stages, sink, statistics, clock, progress)
        statistics.warnings = (*stages.notes, *statistics.warnings)
    return statistics


def sink_settings(size: tuple[int, int], info: SourceInfo, provenance: Provenance) -> SinkSettings:
    """What a sink must know of frames of `size` (width, height) that answer those of a source."""
    width, height = size
    return SinkSettings(width, height, info.rate, info.time_base, info.sound, provenance.as_metadata())


def need_other_file(output: str | os.PathLike[str], given: str | os.PathLike[str]) -> None:
    """Refuse to write over what is read.

    Raises:
        SinkError: both are one file.
    """
    if os.path.isfile(output) and os.path.isfile(given) and os.path.samefile(output, given):
        raise SinkError(f"{os.fspath(output)}: expected another file than those that are read; choose another name")


def _several(portrait: Portrait | Sequence[Portrait]) -> tuple[Portrait, ...]:
    return (portrait,) if isinstance(portrait, Portrait) else tuple(portrait)


def _read(picture: Picture) -> Pixels:
    if isinstance(picture, (str, os.PathLike)):
        return image.read(picture)
    if not isinstance(picture, np.ndarray):
        raise SettingError(f"picture must be a file's name or (H, W, 3) uint8, got {_kind(picture)}")
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise SettingError(f"picture must be (H, W, 3) uint8, got {picture.shape} {picture.dtype}")
    return np.ascontiguousarray(picture)


def _kind(value: object) -> str:
    """What it is, for messages: `None` comes from a reader that failed without a word."""
    return "None" if value is None else type(value).__name__


def _name(picture: Picture) -> str:
    return os.fspath(picture) if isinstance(picture, (str, os.PathLike)) else "picture"


def _prepared(pixels: Pixels, name: str, mesh: FaceMesh) -> Portrait:
    try:
        return prepare_portrait(pixels, _landmarks(pixels, mesh), segment_person(pixels))
    except FaceError as error:
        raise FaceError(f"{name}: {error}") from error


def _aligned_with(first: Portrait, picture: Picture, mesh: FaceMesh) -> Portrait:
    pixels, name = _upright(_read(picture), mesh), _name(picture)
    try:
        pose = fit_pose(_landmarks(pixels, mesh))
    except FaceError as error:
        raise FaceError(f"{name}: {error}") from error
    return _prepared(aligned(pixels, pose, first.pose, first.size), name, mesh)


def _upright(pixels: Pixels, mesh: FaceMesh) -> Pixels:
    """A picture that lies on its side or stands on its head, such as a phone's without a word of that, turned."""
    found = find_turned(sized(pixels, None, LOOKED_AT), mesh)
    return turned_pixels(pixels, found[0].turn) if found else pixels


def _landmarks(pixels: Pixels, mesh: FaceMesh) -> NDArray[np.float64]:
    faces = find_faces(pixels, mesh)
    if not faces:
        height, width = pixels.shape[:2]
        raise FaceError(
            f"expected a face, got none at {width} x {height} pixels; "
            "use a picture whose face is seen from the front, or a larger size"
        )
    return refine(pixels, faces[0], mesh)
