"""A face by dlib's landmarks, which do not drive the engine: points, pose, identity. No other file knows dlib.

The predictor of 68 points was trained on data that exclude commercial use, so its file, like the embedding's, comes
from a package of its own, is read where that lies, and only measures: nothing of it enters a model or a release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.capture.image import resized
from mien.errors import BackendError
from mien.face.points68 import MIRROR
from mien_bench.quality.shape_fit import ShapeFit, fit_shape
from mien_bench.quality.summary import by_identity

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

MODELS: Final = "face_recognition_models"
POINTS_FILE: Final = "shape_predictor_68_face_landmarks.dat"
IDENTITY_FILE: Final = "dlib_face_recognition_resnet_model_v1.dat"
SAME_PERSON: Final = 0.6
"""Distance of embeddings below which two pictures count as one person: what the embedding's authors recommend."""
LARGE: Final = 400
"""Pixels of the longer side below which a picture is looked at enlarged: the detector overlooks faces below 80."""
PROPORTIONS: Final = ("width_to_height", "nose_width", "eye_width")
"""Of the face without pose and expression, as logarithms; widths in distances of the outer eye corners."""
EMBEDDING: Final = 128
FACE: Final = 400
"""Pixels to which a face is scaled for averaged points."""
BOXES: Final = ((0.0, 0.0, 0.0, 0.0), (0.03, 0.0, 0.03, 0.0), (-0.03, 0.02, -0.03, 0.02), (-0.02, -0.02, 0.02, 0.02))
"""By how much of `FACE` left, top, right and bottom of its box are moved."""
_JAW, _HEIGHT, _NOSTRILS, _EYES = (1, 15), (27, 8), (31, 35), ((36, 39), (42, 45))


@dataclass(frozen=True, slots=True, eq=False)
class DlibFace:
    """A face as dlib sees it."""

    points: Array
    """(68, 2) in pixels, in the order of Multi-PIE."""
    embedding: Array
    """(128,): near those of the same person."""


class DlibDetector:
    """Callable: picture (H, W, 3) -> the largest face in it, None where none is found."""

    def __init__(self) -> None:
        """Read the models.

        Raises:
            BackendError: dlib or its models are not installed.
        """
        try:
            import dlib
        except ImportError as error:
            raise BackendError(_lacking("dlib-bin")) from error
        self._dlib: Any = dlib
        self._detector: Any = dlib.get_frontal_face_detector()
        self._points: Any = dlib.shape_predictor(_model(POINTS_FILE))
        self._identity: Any = dlib.face_recognition_model_v1(_model(IDENTITY_FILE))

    def __call__(self, pixels: Pixels) -> DlibFace | None:
        pixels = np.ascontiguousarray(pixels)
        enlarge = int(max(pixels.shape[:2]) < LARGE)
        boxes = self._detector(pixels, enlarge)
        if not boxes:
            return None
        shape = self._points(pixels, max(boxes, key=lambda box: box.area()))
        points = np.array([(part.x, part.y) for part in shape.parts()], dtype=np.float64)
        return DlibFace(points, np.array(self._identity.compute_face_descriptor(pixels, shape)))

    def averaged(self, pixels: Pixels, about: Array, *, identity: bool = True) -> DlibFace | None:
        """The face whose points (68, 2) lie about there, scaled to `FACE` pixels: the mean of its points over `BOXES`
        and their mirror images, which carry less noise than one box's. None where it lies outside of the picture.

        No detector is asked: the box is laid around `about` as dlib's own lies around its points. Without `identity`
        the embedding is zero, which saves most of the time.
        """
        low, high = about.min(axis=0), about.max(axis=0)
        side = float((high - low).max())
        middle, share = (low + high) / 2, FACE / max(side, 1.0)
        corner = np.floor(middle - side).astype(int)
        cut = _cut(pixels, corner, round(2 * side))
        if cut is None:
            return None
        large = resized(cut, 2 * FACE, 2 * FACE)
        mirrored = np.ascontiguousarray(large[:, ::-1])
        box = np.array([*((low - corner) * share), *((high - corner) * share)])
        found = [self._in_box(large, box + FACE * np.array(shift)) for shift in BOXES]
        flipped = np.array([2 * FACE - 1 - box[2], box[1], 2 * FACE - 1 - box[0], box[3]])
        for shift in BOXES:
            points = self._in_box(mirrored, flipped + FACE * np.array(shift))[list(MIRROR)]
            found.append(np.column_stack([2 * FACE - 1 - points[:, 0], points[:, 1]]))
        points = np.mean(found, axis=0)
        embedding = np.zeros(EMBEDDING)
        if identity:
            embedding = np.array(self._identity.compute_face_descriptor(large, self._shape(points)))
        return DlibFace((points + 0.5) / share - 0.5 + corner, embedding)

    def _in_box(self, pixels: Pixels, box: Array) -> Array:
        """(68, 2): the points in a picture whose face's points lie within a box (left, top, right, bottom)."""
        left, top, right, bottom = (round(float(side)) for side in box)
        shape = self._points(pixels, self._dlib.rectangle(left, top, right, bottom))
        return np.array([(part.x, part.y) for part in shape.parts()], dtype=np.float64)

    def _shape(self, points: Array) -> Any:
        (left, top), (right, bottom) = points.min(axis=0).round().astype(int), points.max(axis=0).round().astype(int)
        parts = [self._dlib.point(round(x), round(y)) for x, y in points.tolist()]
        return self._dlib.full_object_detection(self._dlib.rectangle(left, top, right, bottom), parts)


def _cut(pixels: Pixels, corner: NDArray[np.int64], side: int) -> Pixels | None:
    """(side, side, 3): the part of a picture from `corner` on, its border repeated; None where nothing of it is."""
    xs, ys = (np.arange(side) + int(start) for start in corner)
    height, width = pixels.shape[:2]
    if side < 8 or xs[-1] < 0 or ys[-1] < 0 or xs[0] >= width or ys[0] >= height:
        return None
    return np.ascontiguousarray(pixels[np.clip(ys, 0, height - 1)][:, np.clip(xs, 0, width - 1)])


def apart(a: DlibFace, b: DlibFace) -> float:
    """Distance of two identities: 0 is the same picture, `SAME_PERSON` the border."""
    return float(np.linalg.norm(a.embedding - b.embedding))


def _model(name: str) -> str:
    """Where a model file lies. The package itself is not imported: its code needs modules that are gone."""
    try:
        files = distribution(MODELS).files or ()
    except PackageNotFoundError as error:
        raise BackendError(_lacking(MODELS)) from error
    path = next((file.locate() for file in files if file.name == name), None)
    if path is None:
        raise BackendError(f"{MODELS}: expected {name} in it, got none; install it again")
    return str(path)


def _lacking(package: str) -> str:
    return f"measuring identity and action units needs {package}, which is not installed; pip install 'mien[quality]'"


def proportions(fit: ShapeFit) -> Array:
    """(3,): `PROPORTIONS` of the person's own shape."""
    shape = fit.own_shape
    eyes = abs(shape[45, 0] - shape[36, 0])
    width, height = abs(np.subtract(*shape[list(_JAW), 0])), abs(np.subtract(*shape[list(_HEIGHT), 1]))
    nose = abs(np.subtract(*shape[list(_NOSTRILS), 0]))
    eye = np.mean([abs(np.subtract(*shape[list(pair), 0])) for pair in _EYES])
    return np.asarray(np.log([width / height, nose / eyes, eye / eyes]))


def shape_leak(rows: Sequence[tuple[str, str, Array, Array]]) -> float:
    """Fraction of a difference between guides that appears between their answers: 0 is none, 1 is all of it.

    Args:
        rows: (reference, guide, proportions of the guide, proportions of the answer), each (3,).

    For each proportion the slope of the regression of the answers' on the guides', within each reference, so that what
    a reference looks like, and errors in measuring it, cancel out; then the mean. Pictures of one guide are averaged
    first, since the fit takes some of an expression for shape; what is left of that counts as leak in every model.
    NaN where no guides differ.
    """
    moved, given = [], []
    for reference in dict.fromkeys(row[0] for row in rows):
        own = [row for row in rows if row[0] == reference]
        names = [row[1] for row in own]
        guides = by_identity(names, np.array([row[2] for row in own]))
        answers = by_identity(names, np.array([row[3] for row in own]))
        given.append(_centred(guides))
        moved.append(_centred(answers))
    over = (np.concatenate(given) * np.concatenate(moved)).sum(axis=0)
    under = (np.concatenate(given) ** 2).sum(axis=0)
    return float((over / under).mean()) if (under > 1e-12).all() else float("nan")


def _centred(means: Mapping[str, Array]) -> Array:
    values = np.array(list(means.values()))
    return np.asarray(values - values.mean(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class FaceMeasurement:
    """One picture's face."""

    look: DlibFace
    angles: Array
    """(3,): yaw, pitch, roll in degrees."""
    proportions: Array
    """(3,): `shape_leak.PROPORTIONS`."""


def rest_of(looks: Sequence[DlibFace]) -> ShapeFit:
    """How a person looks at rest, from at least one picture of that: the median of the fits, for one identity."""
    fits = [fit_shape(look.points) for look in looks]
    if len(fits) == 1:
        return fits[0]
    identity = np.mean([fit.identity for fit in fits], axis=0)
    again = [fit_shape(look.points, identity) for look in looks]
    return replace(again[0], expression=np.median([fit.expression for fit in again], axis=0))


def measure_face(look: DlibFace, rest: ShapeFit) -> FaceMeasurement:
    """A face beside how the person looks at rest, whose identity is taken as known but for the proportions."""
    fit = fit_shape(look.points, rest.identity)
    angles = np.array([fit.angles.yaw, fit.angles.pitch, fit.angles.roll])
    return FaceMeasurement(look, angles, proportions(fit_shape(look.points)))
