"""The head's layer as a mesh: rings around the face that follow the head's outline, with the depth of a skull.

All of the head follows the head, rigidly and in space; hair that hangs below the jaw follows less and less.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.measures import contour_middle
from mien.plane import Box, Grid
from mien.portrait.portrait import Layer, Layers, Portrait
from mien.reenact.target import Target
from mien.sums import smoothstep
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

OVAL: Final = np.array(topology.OVAL)
WAYS: Final = (0.12, 0.28, 0.46, 0.64, 0.82, 1.0)
"""Places of the inner rings between the contour and the head's outline."""
MARGINS: Final = (0.05, 0.14)
"""Distances of the outer rings beyond the outline, in eye distances: soft edges are never cut off."""
LEAST: Final = 1.06
"""Least distance of the outline, as a multiple of the contour's."""
SKULL: Final = 0.3
"""Depth of the skull's widest place, where its outline is, in eye distances behind the point that the head turns
about: the depth of the ears' rear ends."""
STEEPEST: Final = 0.9
"""Largest slope of depth outside of the face: turned by 40 degrees it does not fold yet."""
HANGS: Final = (1.0, 2.0)
"""Heights in the canonical face between which hair goes along less and less."""
EXPRESSES: Final = 0.2
"""Eye distances from the contour over which its expression fades."""
CROWN: Final = np.array([[0.0, -0.6, 0.0]])
"""The canonical point whose way counts against what is continued beyond the picture's border."""
SIDEWAYS, DOWNWARDS = 0.6, 1.2
"""How far it may go, in eye distances, away from a side and from the upper border that cut the head."""
NOWHERE: Final = -1e5
"""Where uncovered pixels look, in pixels of the layer: outside of it there is nothing. So far that in a flow that is
enlarged hardly any place between it and the head is inside; farther, and offsets in large pictures leave 32 bits."""
BEHIND: Final = 1e6
FINEST: Final = 640
"""Longer side of the finest flow."""


def head_rings(portrait: Portrait, layers: Layers) -> Array:
    """(R, 3): points of rings on the un-posed face, laid out in the picture."""
    contour = portrait.landmarks[OVAL]
    middle = contour_middle(portrait.shape, portrait.pose)
    unit = portrait.pose.scale
    ways = contour[:, :2] - middle[:2]
    length = np.linalg.norm(ways, axis=1)
    reach = np.maximum(layers.reach, LEAST)
    rings = [1 + way * (reach - 1) for way in WAYS] + [reach + margin * unit / length for margin in MARGINS]
    depth = _depths(portrait, contour, reach, length)
    out = np.empty((len(rings), len(OVAL), 3))
    for ring, place in zip(out, rings, strict=True):
        ring[:, :2] = middle[:2] + place[:, None] * ways
        ring[:, 2] = contour[:, 2] + depth * np.minimum((place - 1) / (reach - 1), 1.0)
    return portrait.pose.undo(out.reshape(-1, 3))


def _depths(portrait: Portrait, contour: Array, reach: Array, length: Array) -> Array:
    """(36,): how far the outline lies behind the contour, in pixels."""
    skull = portrait.pose.apply(np.array([[0.0, 0.0, SKULL]]))[0, 2]
    apart = (reach - 1) * length
    return np.asarray(np.clip(skull - contour[:, 2], -STEEPEST * apart, STEEPEST * apart))


def eased(target: Target, portrait: Portrait, layers: Layers) -> Target:
    """`target`, held back softly where it would uncover more beyond the picture's border than is continued there."""
    unit, corner = portrait.pose.scale, layers.head.corner
    right = layers.head.alpha.shape[1] + corner[0] > portrait.size[0]
    way = (target.pose.apply(CROWN) - portrait.pose.apply(CROWN))[0, :2]
    shift = np.zeros(2)
    if way[0] > 0 and corner[0] < 0:
        shift[0] = _held(way[0], SIDEWAYS * unit) - way[0]
    elif way[0] < 0 and right:
        shift[0] = -way[0] - _held(-way[0], SIDEWAYS * unit)
    if way[1] > 0 and corner[1] < 0:
        shift[1] = _held(way[1], DOWNWARDS * unit) - way[1]
    if not shift.any():
        return target
    pose = replace(target.pose, translation=target.pose.translation + [*shift, 0.0])
    return replace(target, pose=pose, landmarks=target.landmarks + [*shift, 0.0])


def _held(way: float, most: float) -> float:
    """0 for 0, with a slope of 1 there, and never more than `most`."""
    return most * math.tanh(way / most)


def head_follow(portrait: Portrait, rings: Array) -> tuple[Array, Array]:
    """How far each ring point follows the head, and its contour point's expression; (R, 1) each, in 0..1."""
    hangs = np.clip((rings[:, 1] - HANGS[0]) / (HANGS[1] - HANGS[0]), 0.0, 1.0)
    follow = 1 - smoothstep(hangs)
    away = np.linalg.norm(rings - np.tile(portrait.shape[OVAL], (len(rings) // len(OVAL), 1)), axis=1)
    return follow[:, None], np.exp(-away / EXPRESSES)[:, None]


def showing(layer: Layer, source: Floats, triangles: NDArray[np.int32]) -> NDArray[np.int32]:
    """(S, 3): of `triangles`, those in whose bounding box there is anything of the layer."""
    import cv2  # where only kernels are measured there is none

    there = cv2.integral((layer.alpha > 0).view(np.uint8))
    corners = source[triangles] - np.array(layer.corner, np.float32)
    most = np.array(layer.alpha.shape[::-1])
    low = np.clip(np.floor(corners.min(axis=1)).astype(np.int64), 0, most)
    high = np.clip(np.ceil(corners.max(axis=1)).astype(np.int64) + 1, 0, most)
    (x0, y0), (x1, y1) = low.T, high.T
    count = there[y1, x1] - there[y0, x1] - there[y1, x0] + there[y0, x0]
    return np.ascontiguousarray(triangles[count > 0])


class HeadFlow:
    """Rasterises where the head is, in the box it takes, into buffers that are allocated once."""

    def __init__(self, portrait: Portrait, layer: Layer, shown: NDArray[np.int32], threads: int) -> None:
        self._size = portrait.size
        self._corner = np.array(layer.corner, np.float32)
        self._used = np.unique(shown)
        count = portrait_vertices(shown)
        backdrop = np.array([[0, 1, 2], [0, 2, 3]], np.int32) + np.int32(count)
        self._triangles = np.concatenate([shown, backdrop])
        self._target, self._source = np.empty((count + 4, 3), np.float32), np.empty((count + 4, 2), np.float32)
        self._source[count:] = NOWHERE
        self._count, self._threads = count, threads
        pixels = min(self._size[0] * self._size[1], FINEST * FINEST)
        self._flow, self._depth = np.empty(pixels * 2, np.float32), np.empty(pixels, np.float32)

    def __call__(self, vertices: Floats, texture: Floats) -> tuple[Box, Floats]:
        """The box in the picture that the head takes, and its flow (h, w, 2), in pixels of the layer."""
        box = Box.around(vertices[self._used, :2].astype(np.float64), 1, *self._size) or Box(0, 0, 2, 2)
        share = min(1.0, FINEST / max(box.size))
        shape = (max(int(box.height * share), 1), max(int(box.width * share), 1))
        grid = Grid(box.size, shape, share)
        count = self._count
        target = self._target
        target[:count] = grid.cells(vertices[:count] - np.array([box.x, box.y, 0], np.float32))
        right, low = shape[1] + 1, shape[0] + 1
        target[count:] = [(-2, -2, BEHIND), (right, -2, BEHIND), (right, low, BEHIND), (-2, low, BEHIND)]
        np.subtract(texture[:count], self._corner, out=self._source[:count])
        pixels = shape[0] * shape[1]
        flow, depth = self._flow[: 2 * pixels].reshape(*shape, 2), self._depth[:pixels].reshape(shape)
        ops.rasterize_flow(target, self._source, self._triangles, out=flow, depth=depth, threads=self._threads)
        return box, flow


def portrait_vertices(triangles: NDArray[np.int32]) -> int:
    """Vertices that triangles name, from the first to the last."""
    return int(triangles.max()) + 1
