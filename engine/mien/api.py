"""What a program needs: prepare a portrait, animate it; and the whole of `mien reenact` as one call."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager

import numpy as np
from numpy.typing import NDArray

from mien.align import aligned, even, sized
from mien.capture import image
from mien.capture.source import Source
from mien.clock import MonotonicClock
from mien.config import ReenactSettings
from mien.errors import FaceError, SettingError
from mien.face.face import Face
from mien.face.motion import Motion
from mien.face.pose import fit_pose
from mien.frame import Frame
from mien.fuse.fuse import Fuse
from mien.motion.retarget import Retarget
from mien.parse.find import find_faces, refine
from mien.parse.models import FaceMesh, segment_person
from mien.parse.parser import Parser
from mien.pipeline import Stages, stream
from mien.portrait import Portrait
from mien.reenact.prepare import prepare_portrait
from mien.reenact.reenact import Reenact
from mien.smooth.smooth import Smooth
from mien.stats import Statistics
from mien.synthesis import Synthesis

Pixels = NDArray[np.uint8]
Picture = str | os.PathLike[str] | Pixels
"""A file, or (H, W, 3) uint8 sRGB."""

LARGEST = 2048
"""Longer side in pixels of a portrait that is prepared without a wish for its size."""
NEUTRAL_FRAMES = 120
"""How many frames of a seekable driver its neutral is estimated from."""


def prepare(picture: Picture, *more: Picture, size: int | None = None) -> tuple[Portrait, ...]:
    """Measure the face of a portrait, once; `animate` then moves it as often as wanted.

    Args:
        picture: a file, or an array (H, W, 3) uint8 sRGB. Of several faces the largest is taken.
        more: further pictures of the same person, seen from other sides. The one nearest in pose to the driver answers;
            all are aligned with the first, which also says how large the output is.
        size: longer side of the output in pixels; None: as large as the picture, at most `LARGEST`.

    Returns:
        One portrait per picture, all of one even width and height.

    Raises:
        SourceError: a picture cannot be read.
        FaceError: a picture has no face, or one that is too small or turned away.
    """
    with FaceMesh(still=True, most=5) as mesh:
        first = _prepared(even(sized(_read(picture), size, LARGEST)), _name(picture), mesh)
        others = [_aligned_with(first, other, mesh) for other in more]
    return (first, *others)


def animate(
    portrait: Portrait | Sequence[Portrait], source: Source, settings: ReenactSettings | None = None
) -> Generator[Frame, None, None]:
    """The moving portrait: one frame for each frame of `source`, with its time and, in `answers`, the frame itself.

    Worker threads run ahead by a few frames. The source is closed at the end, and when the generator is.

    Args:
        portrait: what `prepare` gave.
        source: what `mien.capture.open` gave, or any other `Source`.
        settings: how to move; `size` is decided by `prepare` and ignored, as is `mark`.

    Raises:
        SourceError: the source has no frame that decodes.
        FaceError: the source shows no face.
    """
    settings = settings or ReenactSettings()
    clock = MonotonicClock()
    with source, stages_of(_several(portrait), source, settings) as stages:
        items = stream(source, stages, Statistics(clock), clock)
        with closing(items):
            yield from (item for item in items if isinstance(item, Frame))


@contextmanager
def stages_of(
    portraits: tuple[Portrait, ...], source: Source, settings: ReenactSettings
) -> Iterator[Stages[Face, Motion]]:
    """The stages that animate `portraits` by `source`, with the driver's neutral estimated if the source is seekable.

    Raises:
        FaceError: none of the frames looked at shows a face.
    """
    threads = settings.threads or usable_threads()
    reenact, fuse = Reenact(portraits, threads), Fuse(settings.mouth, threads)
    smooth = Smooth(settings.smooth, threads)

    def first(motion: Motion | None, frame: Frame) -> tuple[Synthesis, ...]:
        return reenact(motion, frame.seconds)

    with Parser(face=settings.face, hints=settings.mouth == "driver") as parser:
        retarget = _retarget(parser, source, settings)
        yield Stages(parser, retarget, (("reenact", first), ("fuse", fuse), ("smooth", smooth)))


def usable_threads() -> int:
    """Logical processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _retarget(parser: Parser, source: Source, settings: ReenactSettings) -> Retarget:
    if not source.info.seekable or settings.motion.mode == "absolute":
        return Retarget(settings.motion)
    found = ((parser.find(frame.pixels), frame) for frame in source.sample(NEUTRAL_FRAMES))
    faces = [Face(landmarks, frame.size) for landmarks, frame in found if landmarks is not None]
    if not faces:
        which = f"face {settings.face}" if settings.face else "a face"
        raise FaceError(
            f"{source.info.name}: expected {which}, got none in frames from all over it; "
            "use a driver whose face is seen from the front and fills a tenth of the picture or more"
        )
    return Retarget.from_samples(settings.motion, faces)


def _several(portrait: Portrait | Sequence[Portrait]) -> tuple[Portrait, ...]:
    return (portrait,) if isinstance(portrait, Portrait) else tuple(portrait)


def _read(picture: Picture) -> Pixels:
    if isinstance(picture, (str, os.PathLike)):
        return image.read(picture)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise SettingError(f"picture must be (H, W, 3) uint8, got {picture.shape} {picture.dtype}")
    return np.ascontiguousarray(picture)


def _name(picture: Picture) -> str:
    return os.fspath(picture) if isinstance(picture, (str, os.PathLike)) else "picture"


def _prepared(pixels: Pixels, name: str, mesh: FaceMesh) -> Portrait:
    try:
        return prepare_portrait(pixels, _landmarks(pixels, mesh), segment_person(pixels))
    except FaceError as error:
        raise FaceError(f"{name}: {error}") from error


def _aligned_with(first: Portrait, picture: Picture, mesh: FaceMesh) -> Portrait:
    pixels, name = _read(picture), _name(picture)
    try:
        pose = fit_pose(_landmarks(pixels, mesh))
    except FaceError as error:
        raise FaceError(f"{name}: {error}") from error
    return _prepared(aligned(pixels, pose, first.pose, first.size), name, mesh)


def _landmarks(pixels: Pixels, mesh: FaceMesh) -> NDArray[np.float64]:
    faces = find_faces(pixels, mesh)
    if not faces:
        raise FaceError("expected a face, got none; use a picture whose face is seen from the front")
    return refine(pixels, faces[0], mesh)
