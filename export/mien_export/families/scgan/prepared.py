"""What the avatar maker learns from, made once: portraits, each also with its mouth closed and its smile relaxed.

    mien export people --labels FILE --out DIR

writes arrays into a folder, from which several processes read without copies of their own, and the distribution of
people beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.draw.outlines import outline_mask
from mien.errors import SettingError, SinkError, reason_of
from mien.face import classes, topology
from mien.face.crop import SIDE
from mien.face.pose import fit_pose
from mien.face.topology import canonical_face
from mien.face.traits import INDEX
from mien.nobody import colours as class_colours
from mien.nobody.drawing import GRID, REGIONS, MeanFace
from mien.nobody.measuring import traits_of
from mien.nobody.view import view_matrix
from mien.parsing.maps import draw_parts, without_parts
from mien.plane import Box, placed
from mien.portrait.rest import rest_shapes
from mien_export.families.parsing.label_maker import UNKNOWN
from mien_export.families.parsing.labelled import Labelled
from mien_export.families.scgan import people as distribution
from mien_export.families.scgan.people import People, joined, principal
from mien_export.families.spade_video.samples import without_unknown
from mien_export.samples.blending import sample, spline_field

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

PEOPLE: Final = "people.npz"
_ARRAYS: Final = ("pictures", "labels", "mattes", "landmarks", "textures", "colours", "traits")
REACH: Final = 32.0
"""Pixels of a view of side 256 from the edge of a region beyond which distances are alike."""
KNOTS: Final = sorted(
    {
        *(*topology.OVAL, *topology.LEFT_EYE, *topology.RIGHT_EYE, *topology.LEFT_BROW, *topology.RIGHT_BROW),
        *(*topology.OUTER_LIPS, *topology.INNER_LIPS, *topology.NOSE, 1, 4, 6, 9, 50, 280, 205, 425),
    }
)
"""Landmarks that hold a warp."""
UPPER: Final = list(topology.INNER_LIPS[1:10])
LOWER: Final = list(topology.INNER_LIPS[:10:-1])
UPPER_RIM: Final = list(topology.OUTER_LIPS[1:10])
LOWER_RIM: Final = list(topology.OUTER_LIPS[:10:-1])
"""The lips' edges, from left to right, without their corners."""
SLIT: Final = 0.6
"""Half of the gap in pixels that closed lips are warped to."""
DOUBT: Final = 0.01
"""Share of unknown pixels around the eyes from which on glasses may be worn."""
INTO_LIP: Final = 0.45
"""How far from an inner to an outer edge of the lips a closed mouth takes its pixels."""
_GROUPS: Final = {
    classes.BACKGROUND: (classes.BACKGROUND,),
    classes.SKIN: (*range(1, 8), *range(10, 13)),
    classes.HAIR: (classes.HAIR, classes.HAT),
    classes.NECK: (classes.NECK, classes.NECKLACE),
    classes.CLOTH: (classes.CLOTH,),
    classes.LEFT_EAR: (classes.LEFT_EAR,),
    classes.RIGHT_EAR: (classes.RIGHT_EAR, classes.EARRING),
}
"""Classes that make each of `REGIONS`."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """N portraits in their own pictures of 256 x 256, read from files as they are needed."""

    pictures: Pixels
    """(N, 256, 256, 3)."""
    labels: Pixels
    """(N, 256, 256)."""
    mattes: Pixels
    """(N, 256, 256)."""
    landmarks: Floats
    """(N, 478, 3) in pixels."""
    textures: Floats
    """(N, 40): coefficients."""
    colours: Floats
    """(N, 4, 3)."""
    traits: Floats
    """(N, 9)."""

    def __len__(self) -> int:
        return len(self.pictures)


def load(folder: Path) -> tuple[Prepared, People]:
    """What `prepare` wrote.

    Raises:
        SettingError: it is missing or broken.
    """
    try:
        arrays: dict[str, Any] = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
    except (OSError, ValueError) as error:
        raise SettingError(f"{folder}: expected what mien export people makes, got none ({error})") from error
    return Prepared(**arrays), distribution.load(folder / PEOPLE)


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """One of them, on the way."""

    picture: Pixels
    labels: Pixels
    matte: Pixels
    landmarks: Array
    clean: bool
    """Whether surely no glasses are worn."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A portrait in its view."""

    landmarks: Floats
    regions: NDArray[np.float16]
    texture: NDArray[np.float16]
    """Square roots."""
    colours: Floats
    traits: Floats


def prepare(labelled: Labelled, folder: Path, tell: Callable[[int], None]) -> None:
    """Write all that is learnt from into `folder`; `tell` takes how many portraits are done.

    Raises:
        SinkError: it cannot be written.
    """
    portraits: list[Portrait] = []
    for index in range(len(labelled)):
        plain = _portrait(labelled, index)
        portraits += [plain, relaxed(plain)]
        tell(index + 1)
    mean = np.mean([placed(one.landmarks, _matrix(one)) for one in portraits], axis=0)
    frame = MeanFace.of((mean + _mirrored_points(mean)) / 2)
    views = [_seen(one, frame) for one in portraits]
    people, textures = learnt(views, np.array([one.clean for one in portraits]))
    arrays: dict[str, NDArray[Any]] = {
        "pictures": np.stack([one.picture for one in portraits]),
        "labels": np.stack([one.labels for one in portraits]),
        "mattes": np.stack([one.matte for one in portraits]),
        "landmarks": np.stack([one.landmarks for one in portraits]).astype(np.float32),
        "textures": textures,
        "colours": np.stack([view.colours for view in views]),
        "traits": np.stack([view.traits for view in views]),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
        distribution.save(folder / PEOPLE, people)
    except OSError as error:
        raise SinkError(f"{folder}: cannot be written ({reason_of(error)})") from error


def _portrait(labelled: Labelled, index: int) -> Portrait:
    labels = labelled.labels[index]
    landmarks = labelled.landmarks[index].astype(np.float64)
    clean = not (labels == classes.GLASSES).any() and _doubt(labels, landmarks) < DOUBT
    return Portrait(labelled.pictures[index], without_unknown(labels), labelled.mattes[index], landmarks, clean)


def _doubt(labels: Pixels, landmarks: Array) -> float:
    """Share of pixels around the eyes of which the label maker was not sure: they may be rims of glasses."""
    box = Box.around(landmarks[[33, 133, 362, 263, 168, 6], :2], 14, labels.shape[1], labels.shape[0])
    return 1.0 if box is None else float((labels[box.area] == UNKNOWN).mean())


def relaxed(portrait: Portrait) -> Portrait:
    """The same with its mouth closed and its smile relaxed, as far as it is sure."""
    pose = fit_pose(portrait.landmarks)
    _, calm = rest_shapes(pose.undo(portrait.landmarks))
    target, source = pose.apply(calm), portrait.landmarks.copy()
    target[UPPER, 1] -= SLIT
    target[LOWER, 1] += SLIT
    for inner, outer in ((UPPER, UPPER_RIM), (LOWER, LOWER_RIM)):  # else teeth would show
        source[inner] += INTO_LIP * (source[outer] - source[inner])
    field = spline_field(target[KNOTS, :2], source[KNOTS, :2], portrait.picture.shape[0], 0.05)
    picture, matte = (
        np.asarray(np.clip(sample(pixels, field, cv2.INTER_LINEAR) + 0.5, 0, 255), np.uint8)
        for pixels in (portrait.picture.astype(np.float32), portrait.matte.astype(np.float32))
    )
    _draw_slit(picture, target)
    target[UPPER, 1] += SLIT
    target[LOWER, 1] -= SLIT
    bare = without_parts(portrait.labels)
    labels = cv2.remap(bare, field[..., 0], field[..., 1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    draw_parts(labels, target, np.array([[1.0, 0, 0], [0, 1, 0]]))
    return Portrait(picture, np.asarray(labels, np.uint8), matte, target, portrait.clean)


def _draw_slit(picture: Pixels, points: Array) -> None:
    """The dark line between closed lips."""
    lips = picture[tuple(np.rint(points[[0, 17], 1::-1]).astype(int).clip(0, len(picture) - 1).T)]
    slit = cv2.GaussianBlur(
        outline_mask(points[list(topology.INNER_LIPS), :2], (picture.shape[0], picture.shape[1])), (0, 0), 0.6
    )
    share = np.clip(slit * 1.4, 0, 0.9)[..., None]
    picture[:] = np.rint(picture + (0.5 * lips.mean(axis=0) - picture) * share).astype(np.uint8)


def _matrix(portrait: Portrait) -> Array:
    return view_matrix(fit_pose(portrait.landmarks), SIDE)


def _mirrored_points(points: Array) -> Array:
    """Landmarks (478, 3) of the mirrored view."""
    out = points[canonical_face().mirror].copy()
    out[:, 0] = SIDE - 1 - out[:, 0]
    return np.asarray(out)


def _seen(portrait: Portrait, frame: MeanFace) -> Seen:
    matrix = _matrix(portrait)
    points = placed(portrait.landmarks, matrix)
    picture = cv2.warpAffine(portrait.picture, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    labels = cv2.warpAffine(
        portrait.labels, matrix, (SIDE, SIDE), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    tones = class_colours.measured(picture, labels)
    face = frame.taken(portrait.picture, portrait.landmarks).astype(np.float32) / 255
    roots = np.sqrt(np.clip(face / np.maximum(tones[0], 0.05), 0, distribution.BRIGHTEST))
    traits = traits_of(np.asarray(picture, np.uint8), np.asarray(labels, np.uint8), points)
    return Seen(
        points.astype(np.float32), regions_of(labels).astype(np.float16), roots.astype(np.float16), tones, traits
    )


def regions_of(labels: NDArray[Any]) -> Floats:
    """(7, 64, 64) in -1..1: signed distances to the edges of `REGIONS` in a label map (256, 256)."""
    planes = []
    for kind in REGIONS:
        own = np.isin(labels, _GROUPS[kind]).astype(np.uint8)
        if not own.any():
            planes.append(np.full((GRID, GRID), -1, np.float32))
            continue
        inside, outside = (cv2.distanceTransform(mask, cv2.DIST_L2, 5) for mask in (own, 1 - own))
        signed = np.clip((inside - outside) / REACH, -1, 1)
        planes.append(cv2.resize(signed, (GRID, GRID), interpolation=cv2.INTER_AREA))
    return np.stack(planes).astype(np.float32)


def learnt(views: list[Seen], clean: NDArray[np.bool_]) -> tuple[People, Floats]:
    """The distribution of views and their mirror images, and the texture coefficients (N, 40) of the views.

    Textures are learnt from those who surely wear no glasses.
    """
    both = [*views, *(mirrored(view) for view in views)]
    shape = principal(np.stack([view.landmarks.ravel() for view in both]), distribution.SHAPES)
    some = both[::2] if len(both) > 2000 else both
    surroundings = principal(_flat(view.regions for view in some), distribution.SURROUNDINGS)
    bare = [view if number % 4 < 2 else mirrored(view) for number, view in enumerate(views) if clean[number]]
    texture = principal(_flat(view.texture for view in bare), distribution.TEXTURES)
    rows = [
        np.concatenate(
            [
                shape.coefficients(view.landmarks.ravel()[None])[0],
                surroundings.coefficients(view.regions.astype(np.float32).ravel()[None])[0],
                texture.coefficients(view.texture.astype(np.float32).ravel()[None])[0],
                view.colours.ravel(),
                view.traits,
            ]
        )
        for view in both
    ]
    coefficients = np.stack(rows)
    people = People(shape, surroundings, texture, *joined(coefficients))
    first = distribution.SHAPES + distribution.SURROUNDINGS
    return people, np.ascontiguousarray(coefficients[: len(views), first : first + distribution.TEXTURES])


def _flat(arrays: Iterator[NDArray[np.float16]]) -> Floats:
    return np.asarray(np.stack([array.ravel() for array in arrays]), np.float32)


def mirrored(view: Seen) -> Seen:
    """A view in the mirror."""
    ears = [REGIONS.index(classes.RIGHT_EAR), REGIONS.index(classes.LEFT_EAR)]
    order = [*range(len(REGIONS) - 2), *ears]
    traits = view.traits.copy()
    traits[INDEX["turn"]] = 1 - traits[INDEX["turn"]]
    points = _mirrored_points(view.landmarks.astype(np.float64)).astype(np.float32)
    return Seen(points, view.regions[order][:, :, ::-1], view.texture[:, ::-1], view.colours, traits)
