"""All landmarkers at once, the identity beside, and the guides of table 4.1 as they read them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.draw.mouth import mouth_hint
from mien.errors import BackendError, MienError
from mien.face.face import MouthHint
from mien.face.points68 import MESH
from mien.motion.neutral import Neutral
from mien_bench.fidelity.drivers import CALM, Driver, active_frames, frames_of, median_of
from mien_bench.fidelity.landmarkers import OPENSEEFACE, Landmarker, OpenSeeFace, open_mesh_reader, openseeface_path
from mien_bench.fidelity.points68 import UNITS, Reading, read_points
from mien_bench.quality.dlib_face import DlibDetector
from mien_kernels import ops

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

OPEN_SEE_FACE: Final = "OpenSeeFace"
DLIB: Final = "dlib"
MESH_READER: Final = "mesh"
ROLL: Final = 6.0
"""Degrees by which a guide is turned in the picture's plane, to see how far a landmarker agrees with itself."""
QUALITY: Final = 30
"""Of JPEG, from 1 to 95."""
ROLLED, COMPRESSED, NEXT, LIKE = (
    "guide turned by 6 degrees",
    "guide as JPEG 30",
    "guide's next frame",
    "like expression",
)
"""Answers that are not ours: the same face otherwise, and another person who does nearly the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A picture as every judge reads it."""

    readings: Mapping[str, Reading | None]
    embedding: Array | None = None
    """(128,): the identity, by dlib; None where it was not asked for or no face is seen."""
    asked: bool = False
    """Whether the identity was asked for."""


class Judges:
    """Callable (picture, about where the 68 points lie) -> `Judged`."""

    def __init__(self, landmarkers: Mapping[str, Landmarker], dlib: DlibDetector | None) -> None:
        self._landmarkers = landmarkers
        self._dlib = dlib
        self.names: tuple[str, ...] = (*landmarkers, *((DLIB,) if dlib is not None else ()))

    def __call__(self, pixels: Pixels, about: Array, *, identity: bool = False) -> Judged:
        readings = {name: read(pixels, about) for name, read in self._landmarkers.items()}
        face = None if self._dlib is None else self._dlib.averaged(pixels, about, identity=identity)
        if self._dlib is not None:
            readings[DLIB] = None if face is None else read_points(face.points)
        return Judged(readings, face.embedding if face is not None and identity else None, identity)


@contextmanager
def open_judges(named: Path | None, data: Path | None, threads: int = 1) -> Iterator[tuple[Judges, tuple[str, ...]]]:
    """The judges that can be had, and a note on each of the others; closed on leaving.

    Args:
        named: OpenSeeFace's model, where it does not lie in the folder `data`.

    Raises:
        MienError: there is neither OpenSeeFace nor dlib; the mesh alone would judge itself.
    """
    with ExitStack() as stack:
        landmarkers: dict[str, Landmarker] = {}
        notes: list[str] = []
        try:
            model = OpenSeeFace(openseeface_path(named, data), threads)
            stack.callback(model.close)
            landmarkers[OPEN_SEE_FACE] = model
        except MienError as error:
            notes.append(f"not judged by {OPEN_SEE_FACE}: {error}")
        landmarkers[MESH_READER] = stack.enter_context(open_mesh_reader())
        try:
            dlib: DlibDetector | None = DlibDetector()
        except BackendError as error:
            dlib = None
            notes.append(f"not judged by {DLIB}, no identity: {error}")
        if dlib is None and OPEN_SEE_FACE not in landmarkers:
            raise BackendError("table 4.1: expected OpenSeeFace or dlib to judge, got neither; " + "; ".join(notes))
        yield Judges(landmarkers, dlib), tuple(notes)


PointReader = Callable[[Pixels, Array], Array | None]
"""(picture, points (68, 2) in its pixels, roughly) -> the points, None where no face is seen."""


@contextmanager
def open_point_readers(named: Path | None, data: Path | None, threads: int = 1) -> Iterator[dict[str, PointReader]]:
    """The mesh, and OpenSeeFace where its model is known; arguments as of `open_judges`. Closed on leaving.

    Raises:
        SourceError: a model that was named is not there.
    """
    with ExitStack() as stack:
        mesh = stack.enter_context(open_mesh_reader())

        def by_mesh(pixels: Pixels, about: Array) -> Array | None:
            landmarks = mesh.landmarks(pixels, about)
            return None if landmarks is None else landmarks[list(MESH), :2]

        readers: dict[str, PointReader] = {MESH_READER: by_mesh}
        if named is not None or (data is not None and (data / OPENSEEFACE).is_file()):
            model = OpenSeeFace(openseeface_path(named, data), threads)
            stack.callback(model.close)
            readers[OPEN_SEE_FACE] = model.points
        yield readers


@dataclass(frozen=True, slots=True, eq=False)
class Guide:
    """A frame whose expression and pose are transferred."""

    identity: str
    landmarks: Array
    """(478, 3), the engine's, in pixels."""
    neutral: Neutral
    hint: MouthHint | None
    profile: Array
    """(12,): units by the mesh, from the person's calm face."""
    given: Mapping[str, Reading]
    """By judge; units from the person's calm face."""
    controls: Mapping[str, Mapping[str, Reading]] = field(default_factory=dict)
    """By control (`ROLLED` ...), then by judge; units likewise."""


def guides_of(driver: Driver, count: int, judges: Judges) -> list[Guide]:
    """At most `count` guides of a driver, those that do most; see `active_frames`."""
    numbers = active_frames(driver, count)
    calm = driver.calm[:CALM]
    pictures = frames_of(driver.path, [*numbers, *(number + 1 for number in numbers), *calm])
    rest = _rest(driver, calm, pictures, judges)
    still = np.median(driver.units[calm], axis=0)
    guides = []
    for number in numbers:
        landmarks, pixels = driver.landmarks[number], pictures[number]
        assert landmarks is not None  # active frames have a face
        after = driver.landmarks[number + 1] if number + 1 < len(driver.landmarks) else None
        about = _about(landmarks)
        controls = {ROLLED: _rolled_back(judges(*rolled(pixels, about))), COMPRESSED: judges(compressed(pixels), about)}
        if after is not None and number + 1 in pictures:
            controls[NEXT] = judges(pictures[number + 1], _about(after))
        guides.append(
            Guide(
                driver.name,
                landmarks,
                driver.neutral,
                mouth_hint(pixels, landmarks),
                driver.units[number] - still,
                _from_rest(judges(pixels, about), rest),
                {name: _from_rest(judged, rest) for name, judged in controls.items()},
            )
        )
    return guides


def with_like_expressions(guides: Sequence[Guide]) -> list[Guide]:
    """Each guide with the control `LIKE`: the reading of another person's guide whose profile is nearest."""
    profiles = np.array([guide.profile for guide in guides])
    scaled = profiles / np.maximum(profiles.std(axis=0), 1e-9)
    out = []
    for guide, own in zip(guides, scaled, strict=True):
        away = np.linalg.norm(scaled - own, axis=1)
        away[[other.identity == guide.identity for other in guides]] = np.inf
        nearest = int(np.argmin(away))
        like = {} if not np.isfinite(away[nearest]) else {LIKE: guides[nearest].given}
        out.append(replace(guide, controls={**guide.controls, **like}))
    return out


def rolled(pixels: Pixels, points: Array, degrees: float = ROLL) -> tuple[Pixels, Array]:
    """A picture (H, W, 3) turned in its plane about the middle of points (68, 2), and these points turned along."""
    middle = points.mean(axis=0)
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cos, -sin], [sin, cos]])
    height, width = pixels.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float64)
    flow = (np.stack([xs, ys], axis=-1) - middle) @ turn + middle
    return ops.flow_warp(pixels, flow.astype(np.float32)), (points - middle) @ turn.T + middle


def compressed(pixels: Pixels, quality: int = QUALITY) -> Pixels:
    """A picture (H, W, 3) as JPEG leaves it."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.ascontiguousarray(np.asarray(Image.open(file).convert("RGB")))


def _rolled_back(judged: Judged) -> Judged:
    """The readings of a picture turned by `ROLL`, with the head held as before."""
    back = np.array([0.0, 0.0, ROLL])
    return replace(
        judged,
        readings={
            name: None if found is None else Reading(found.units, found.angles - back)
            for name, found in judged.readings.items()
        },
    )


def _about(landmarks: Array) -> Array:
    return landmarks[list(MESH), :2]


def _rest(driver: Driver, calm: Sequence[int], pictures: Mapping[int, Pixels], judges: Judges) -> dict[str, Array]:
    """(12,) by judge: the person's calm face."""
    seen = [(pictures[number], driver.landmarks[number]) for number in calm if number in pictures]
    judged = [judges(pixels, _about(landmarks)) for pixels, landmarks in seen if landmarks is not None]
    return {
        name: median_of([found.units for one in judged if (found := one.readings[name]) is not None])
        for name in judges.names
    }


def _from_rest(judged: Judged, rest: Mapping[str, Array]) -> dict[str, Reading]:
    blank = np.full(len(UNITS), np.nan)
    return {
        name: Reading(blank, np.full(3, np.nan)) if found is None else Reading(found.units - rest[name], found.angles)
        for name, found in judged.readings.items()
    }
