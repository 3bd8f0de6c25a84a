"""`mien.prepare`: reads pictures, rotates them upright, scales and aligns them, then measures them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ContextDecorator

import numpy as np
from numpy.typing import NDArray

from mien.capture import image
from mien.capture.image import resized
from mien.config import need_size
from mien.errors import BackendError, FaceError, ModelError, SettingError
from mien.face.face import turned_pixels
from mien.face.pose import Similarity, fit_pose
from mien.parse.find import find_faces, find_turned, refine
from mien.parse.models import FaceMesh, segment_person
from mien.parsing.opening import open_segmenter
from mien.portrait.building import prepare_portrait
from mien.portrait.portrait import Portrait
from mien.portrait.separating import GROUPS
from mien.portrait.working import Working
from mien_kernels import ops

Pixels = NDArray[np.uint8]
Picture = str | os.PathLike[str] | Pixels
"""A file, or (H, W, 3) uint8 sRGB."""

LOOKED_AT = 1024
"""Longer side in pixels at which a picture's orientation (quarter turn) is detected."""
LARGEST = 2048
"""Longer side in pixels of a portrait whose size was not given."""
_LENIENT: ContextDecorator = np.errstate(under="ignore")
"""Fading weights may underflow to zero, which is harmless: ignored even if the program has NumPy raise on underflow."""


def _wanted() -> None:
    """Nothing ends the work."""


@_LENIENT
def prepare(
    picture: Picture,
    *more: Picture,
    size: int | None = None,
    largest: int = LARGEST,
    need_wanted: Callable[[], None] = _wanted,
) -> tuple[Portrait, ...]:
    """Measure the face of a portrait, once; `animate` then moves it as often as wanted.

    Args:
        picture: a file, or an array (H, W, 3) uint8 sRGB. Of several faces the largest is taken.
        more: further pictures of the same person in other poses. The one nearest to the driver's pose is shown;
            all are aligned with the first, which also decides the output's size.
        size: longer side of the output in pixels; None: as large as the picture, at most `largest`.
        need_wanted: called before each step that takes long; what it raises ends the work.

    Returns:
        One portrait per picture, all of one even width and height.

    Raises:
        SourceError: a picture cannot be read.
        FaceError: a picture has no face, or one that is too small or turned away.
        SettingError: something that is no picture, or a size out of range.
    """
    need_size(size)
    need_wanted()
    with FaceMesh(still=True, most=5) as mesh:
        need_wanted()
        upright = even(_upright(sized(read_picture(picture), size, largest), mesh))
        first = _prepared(upright, _name(picture), mesh, need_wanted)
        others = [_aligned_with(first, other, mesh, need_wanted) for other in more]
    return (first, *others)


@_LENIENT
def prepare_to_fit(size: tuple[int, int], picture: Picture, *more: Picture) -> tuple[Portrait, ...]:
    """As `prepare`, with an output of exactly `size` (width, height): scaled to cover it, and cut around the face.

    Raises:
        SourceError, FaceError: as `prepare`.
    """
    with FaceMesh(still=True, most=5) as mesh:
        pixels, name = _upright(read_picture(picture), mesh), _name(picture)
        x, y = _landmarks(sized(pixels, None, LARGEST), mesh)[:, :2].mean(axis=0)
        share = max(pixels.shape[:2]) / min(max(pixels.shape[:2]), LARGEST)
        first = _prepared(fitted(pixels, (x * share, y * share), size), name, mesh)
        others = [_aligned_with(first, other, mesh) for other in more]
    return (first, *others)


def read_picture(picture: Picture) -> Pixels:
    """(H, W, 3) uint8 sRGB, C-contiguous.

    Raises:
        SourceError: the file cannot be read.
        SettingError: it is no file's name and no picture.
    """
    if isinstance(picture, (str, os.PathLike)):
        pixels = image.read(picture)
        if min(pixels.shape[:2]) < 2:
            size = f"{pixels.shape[1]} x {pixels.shape[0]}"
            raise FaceError(f"{_name(picture)}: expected a face, got a picture of {size} pixels; use a larger one")
        return pixels
    if not isinstance(picture, np.ndarray):
        raise SettingError(f"picture must be a file's name or (H, W, 3) uint8, got {_kind(picture)}")
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise SettingError(f"picture must be (H, W, 3) uint8, got {picture.shape} {picture.dtype}")
    return np.ascontiguousarray(picture)


def _name(picture: Picture) -> str:
    return os.fspath(picture) if isinstance(picture, (str, os.PathLike)) else "picture"


def _prepared(pixels: Pixels, name: str, mesh: FaceMesh, need_wanted: Callable[[], None] = _wanted) -> Portrait:
    need_wanted()
    try:
        landmarks = _landmarks(pixels, mesh)
        need_wanted()
        return portrait_of(pixels, landmarks, need_wanted)
    except FaceError as error:
        raise FaceError(f"{name}: {error}") from error


def portrait_of(pixels: Pixels, landmarks: NDArray[np.float64], need_wanted: Callable[[], None] = _wanted) -> Portrait:
    """A portrait from an upright picture (H, W, 3) of even sides and its landmarks (478, 3), with its layers.

    Raises:
        FaceError: the face is too small or turned away.
    """
    working = Working.of(pixels)
    small = working.shrunk(pixels)
    person = segment_person(small)
    need_wanted()
    shares = None if person is None else _shares(small, working.points(landmarks))
    need_wanted()
    return prepare_portrait(pixels, landmarks, person, shares)


def _shares(pixels: Pixels, landmarks: NDArray[np.float64]) -> NDArray[np.float32] | None:
    """(5, H, W): of the groups of classes that layers are made by; None without the segmenter or a runtime for it."""
    try:
        with open_segmenter(1) as (segmenter, _):
            return segmenter.group_shares(pixels, landmarks, GROUPS)
    except (ModelError, BackendError):
        return None


def _aligned_with(
    first: Portrait, picture: Picture, mesh: FaceMesh, need_wanted: Callable[[], None] = _wanted
) -> Portrait:
    need_wanted()
    pixels, name = _upright(read_picture(picture), mesh), _name(picture)
    try:
        pose = fit_pose(_landmarks(pixels, mesh))
    except FaceError as error:
        raise FaceError(f"{name}: {error}") from error
    return _prepared(aligned(pixels, pose, first.pose, first.size), name, mesh, need_wanted)


def _upright(pixels: Pixels, mesh: FaceMesh) -> Pixels:
    """The picture rotated so that its largest face is upright: phones store rotated pictures, not always with EXIF."""
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


def sized(pixels: Pixels, size: int | None, largest: int) -> Pixels:
    """`pixels` (H, W, 3) scaled to a longer side of `size`; if None, unchanged but at most `largest`."""
    height, width = pixels.shape[:2]
    wanted = size or min(max(height, width), largest)
    share = wanted / max(height, width)
    return resized(pixels, max(round(width * share), 2), max(round(height * share), 2))


def even(pixels: Pixels) -> Pixels:
    """`pixels` (H, W, 3) without the last row or column where there is an odd number, for video's halved colours."""
    height, width = pixels.shape[:2]
    return np.ascontiguousarray(pixels[: height - height % 2, : width - width % 2])


def aligned(pixels: Pixels, pose: Similarity, to: Similarity, size: tuple[int, int]) -> Pixels:
    """`pixels` (H, W, 3) shifted and scaled so that a head posed `pose` stands where and as large as one posed `to`.

    The result has `size` (width, height); what lies beyond the picture repeats its border.
    """
    width, height = size
    scale = pose.scale / to.scale
    xs = (np.arange(width) - to.translation[0]) * scale + pose.translation[0]
    ys = (np.arange(height) - to.translation[1]) * scale + pose.translation[1]
    flow = np.stack(np.meshgrid(xs, ys), axis=-1).astype(np.float32)
    return ops.flow_warp(pixels, flow)


def fitted(pixels: Pixels, middle: tuple[float, float], size: tuple[int, int]) -> Pixels:
    """`pixels` (H, W, 3) scaled to cover `size` (width, height), and cut to it with `middle` (x, y) kept in the middle
    as far as the picture reaches.
    """
    height, width = pixels.shape[:2]
    share = max(size[0] / width, size[1] / height)
    whole = resized(pixels, max(round(width * share), size[0]), max(round(height * share), size[1]))
    left = _begin(middle[0] * share, size[0], whole.shape[1])
    top = _begin(middle[1] * share, size[1], whole.shape[0])
    return np.ascontiguousarray(whole[top : top + size[1], left : left + size[0]])


def _begin(middle: float, wanted: int, there: int) -> int:
    return min(max(round(middle - wanted / 2), 0), there - wanted)


def _kind(value: object) -> str:
    """The type's name for messages; `None` comes from readers that report failure by returning it."""
    return "None" if value is None else type(value).__name__
