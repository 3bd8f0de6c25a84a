"""The label map of a face that was drawn at random, and the same map in colours with a coarse face laid on it.

Both are what the network is given, in training and in use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.draw.outlines import outline_mask
from mien.face import classes, topology
from mien.face.crop import SIDE
from mien.face.topology import canonical_face
from mien.face.traits import INDEX
from mien.parsing.cleaning import cleaned
from mien.parsing.maps import FINER, draw_parts
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

REGIONS: Final = (
    *(classes.BACKGROUND, classes.SKIN, classes.HAIR, classes.NECK, classes.CLOTH),
    *(classes.LEFT_EAR, classes.RIGHT_EAR),
)
"""Classes around the face's parts, in the order of their planes."""
GRID: Final = 64
"""Side of these planes."""
TEXTURE: Final = (144, 112)
"""Height and width of a coarse face in the mean shape."""
FACE: Final = np.isin(np.arange(256), (*range(1, 8), *range(10, 13)))
"""By class: whether the coarse face shows there."""
TOUSLED: Final = 0.07
"""Standard deviation of what hair reaches further or less far, in the unit of regions."""
LOCK: Final = 1.0
"""Size of locks in cells."""
TOP, ARCH = 0.07, 0.25
"""Share of the side above which no hair is, in the middle; and how much lower that is at the sides."""
EARS: Final = 0.15
"""By how much ears come forward, in the unit of regions."""
SOFT: Final = 2.5 / SIDE
"""Width of the edge of the coarse face, as a share of the side."""
RIM: Final = 2.2 / SIDE
"""Thickness of rims of glasses, as a share of the side."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Somebody who does not exist."""

    landmarks: Array
    """(478, 3) in pixels of a view of side 256."""
    regions: Floats
    """(7, 64, 64): of each of `REGIONS`, how far inside of it a cell lies; the largest one counts."""
    texture: Floats
    """(144, 112, 3): the face in the mean shape, relative to the colour of the skin."""
    colours: Floats
    """(4, 3) in 0..1: of `mien.nobody.colours.COLOURED`."""
    traits: Floats
    """(9,): of `mien.face.traits.TRAITS`."""

    @property
    def glasses(self) -> bool:
        """Whether glasses are worn."""
        return bool(self.traits[INDEX["glasses"]] > 0.5)


def tousled(person: Person, rng: np.random.Generator) -> Person:
    """Somebody with an uneven outline of the hair: means over many people are too smooth."""
    noise = cv2.GaussianBlur(rng.standard_normal((GRID, GRID), dtype=np.float32), (0, 0), LOCK)
    regions = person.regions.copy()
    regions[REGIONS.index(classes.HAIR)] += noise * np.float32(TOUSLED / float(noise.std()))
    return replace(person, regions=regions)


def scaled(points: Array, side: int, own: int = SIDE) -> Array:
    """Points (N, 2 or 3) of a view of side `own` in one of this side."""
    share = side / own
    out = points * share
    out[:, :2] += (share - 1) / 2
    return np.asarray(out)


def label_map(person: Person, side: int) -> Pixels:
    """(side, side): the class of each pixel of a person's view."""
    planes = [cv2.resize(plane, (side, side), interpolation=cv2.INTER_CUBIC) for plane in person.regions]
    points = scaled(person.landmarks, side)
    stack = np.stack(planes)
    _keep_apart(stack)
    oval = outline_mask(points[list(topology.OVAL), :2], (side, side)) > 0.5
    below = np.arange(side)[:, None] > points[[105, 334], 1].mean()
    skin = REGIONS.index(classes.SKIN)
    stack[skin][oval & below] = np.inf
    hair = REGIONS.index(classes.HAIR)
    within = np.isin(np.arange(len(REGIONS)), (skin, hair))
    stack[~within] = np.where(oval, -np.inf, stack[~within])
    labels = np.array(REGIONS, np.uint8)[stack.argmax(axis=0)]
    labels = cleaned(labels)
    if person.glasses:
        draw_glasses(labels, points)
    same = np.array([[1.0, 0, 0], [0, 1, 0]])
    draw_parts(labels, points, same)
    return labels


def _keep_apart(stack: Floats) -> None:
    """Close heads below the upper border, which cuts many portraits that were learnt from, and let ears come forward,
    which the labels of those portraits miss in part; changes `stack` (7, S, S)."""
    rows = np.arange(stack.shape[1], dtype=np.float32)[:, None] / np.float32(stack.shape[1])
    across = np.linspace(-1, 1, stack.shape[2], dtype=np.float32)
    lid = np.clip((TOP + ARCH * across * across - rows) / TOP, 0, 1)
    stack[REGIONS.index(classes.HAIR)] -= 2 * lid
    for ear in (classes.LEFT_EAR, classes.RIGHT_EAR):
        stack[REGIONS.index(ear)] += EARS


def draw_glasses(labels: Pixels, points: Array) -> None:
    """Draw the rims of glasses around the eyes of landmarks (478, 2 or 3) into `labels` (S, S)."""
    side = len(labels)
    apart = float(np.hypot(*(points[263, :2] - points[33, :2])))
    thick = max(round(RIM * side), 1)
    inner = []
    for eye, way in zip(topology.EYES, (-1.0, 1.0), strict=True):
        centre = points[list(eye), :2].mean(axis=0) + (0.02 * way * apart, 0.05 * apart)
        size = 0.245 * apart, 0.19 * apart
        cv2.ellipse(labels, (tuple(centre), (2 * size[0], 2 * size[1]), 0.0), classes.GLASSES, thick, cv2.LINE_8)
        inner.append(centre - (way * size[0], 0.05 * apart))
    ends = [tuple(np.rint(point).astype(int).tolist()) for point in inner]
    cv2.line(labels, ends[0], ends[1], classes.GLASSES, thick, cv2.LINE_8)


@lru_cache(maxsize=1)
def face_triangles() -> NDArray[np.int32]:
    """(T, 3): the canonical mesh with its holes, eyes and inner mouth, closed by fans. Read-only."""
    fans: list[tuple[int, int, int]] = []
    for ring in (topology.LEFT_EYE, topology.RIGHT_EYE, topology.INNER_LIPS):
        for i in range(len(ring) // 2):  # of two upper points and the lower ones that face them
            a, b, c, d = ring[i], ring[i + 1], ring[-i - 1], ring[-i]
            fans += [(a, b, c), (a, c, d)]
    triangles: NDArray[np.int32] = np.concatenate([canonical_face().triangles, np.array(fans, np.int32)])
    triangles.flags.writeable = False
    return triangles


@dataclass(frozen=True, slots=True, eq=False)
class MeanFace:
    """Where the landmarks lie in a texture."""

    points: Floats
    """(468, 2) in its pixels."""

    @classmethod
    def of(cls, mean: Array) -> MeanFace:
        """For the mean shape (478, 2 or 3), whatever its unit: its outline fills the texture."""
        plane = mean[: topology.SKIN_COUNT, :2]
        low, high = plane.min(axis=0), plane.max(axis=0)
        height, width = TEXTURE
        share = (np.array([width, height]) - 3.0) / (high - low)
        return cls(((plane - low) * share + 1.0).astype(np.float32))

    def taken(self, picture: NDArray[np.uint8], points: Array) -> NDArray[np.uint8]:
        """(144, 112, 3): the face of a picture (H, W, 3) with landmarks (478, 2 or 3), in the mean shape."""
        flat = np.zeros((len(self.points), 3), np.float32)
        flat[:, :2] = self.points
        source = np.ascontiguousarray(points[: len(flat), :2], np.float32)
        flow, _ = ops.rasterize_flow(flat, source, face_triangles(), size=TEXTURE)
        return np.asarray(ops.flow_warp(picture, flow))

    def laid(self, texture: Floats, points: Array, side: int) -> tuple[Floats, Floats]:
        """(S, S, 3): a texture (144, 112, 3) on landmarks (478, 3) in pixels of a view; (S, S): where it lies, 0..1."""
        target = np.ascontiguousarray(points[: len(self.points)], np.float32)
        flow, depth = ops.rasterize_flow(target, self.points, face_triangles(), size=(side, side))
        covered = np.isfinite(depth).astype(np.uint8)
        inner = cv2.erode(covered, np.ones((3, 3), np.uint8)).astype(np.float32)
        share = cv2.GaussianBlur(inner, (0, 0), max(SOFT * side / 2, 0.5)) * covered
        return np.asarray(ops.flow_warp(np.ascontiguousarray(texture), flow)), np.asarray(share, np.float32)


def painted(labels: Pixels, points: Array, texture: Floats, frame: MeanFace, colours: Floats) -> Pixels:
    """(S, S, 3): a label map (2 S, 2 S) in the colours of its classes, with a coarse face laid on it.

    Args:
        points: landmarks (478, 3) in pixels of a view of side S.
        texture: (144, 112, 3), relative to the colour of the skin.
        colours: (19, 3) in 0..1, as `mien.nobody.colours.table` gives them.
    """
    side = len(labels) // FINER
    flat = cv2.resize(np.rint(colours * 255).astype(np.uint8)[labels], (side, side), interpolation=cv2.INTER_AREA)
    face, share = frame.laid(texture, points, side)
    share = share * cv2.resize(FACE[labels].astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    tone = np.clip(face * (colours[classes.SKIN] * 255), 0, 255)
    mixed = flat + (tone - flat) * share[..., None]
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)
