"""Finding faces in a single picture, of any size, as well as can be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.face.face import eye_distance
from mien.parse.models import Box, FaceMesh

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
MARGIN = 0.6
"""What is kept around a detector's box on each side, as a share of its longer side."""
SMALLEST_TILE = 256
"""Pixels: a picture is not cut into smaller squares to look for faces."""
SAME = 0.7
"""Two finds whose eyes' middles are nearer than this many eye distances are one face."""


def find_faces(pixels: Pixels, mesh: FaceMesh) -> list[Array]:
    """Landmarks (478, 3) in pixels of every face in `pixels` (H, W, 3), largest first; `mesh` looks at stills."""
    faces = list(mesh(pixels))
    if not faces:
        for box in mesh.boxes(pixels) or _boxes_in_tiles(pixels, mesh):
            corner, cut = cut_square(pixels, box, MARGIN)
            faces += [face + np.array([*corner, 0.0]) for face in mesh(cut)[:1]]
    return sorted(_distinct(faces), key=eye_distance, reverse=True)


def _boxes_in_tiles(pixels: Pixels, mesh: FaceMesh) -> list[Box]:
    """What a detector finds when it looks at overlapping squares of half the picture's length one by one."""
    height, width = pixels.shape[:2]
    side = (max(height, width) + 1) // 2
    if side < SMALLEST_TILE:
        return []
    out = []
    for y in _starts(height, side):
        for x in _starts(width, side):
            tile = np.ascontiguousarray(pixels[y : y + side, x : x + side])
            out += [(a + x, b + y, c + x, d + y) for a, b, c, d in mesh.boxes(tile)]
    return out


def _starts(length: int, side: int) -> list[int]:
    """Where tiles of `side` that overlap by half begin along `length`."""
    steps = max(int(np.ceil(2 * (length - side) / side)), 0)
    return [round(i * (length - side) / max(steps, 1)) for i in range(steps + 1)]


def refine(pixels: Pixels, landmarks: Array, mesh: FaceMesh, looks: int = 5) -> Array:
    """The median of several looks at slightly different cuts: landmarks (478, 3) steadier than one look gives."""
    found = [landmarks]
    for look in range(looks):
        margin = 0.35 + 0.08 * look
        corner, cut = cut_square(pixels, bounds(landmarks), margin)
        faces = [face + np.array([*corner, 0.0]) for face in mesh(cut)]
        found += [face for face in faces if _same(face, landmarks)]
    return np.asarray(np.median(found[1:] or found, axis=0))


def bounds(landmarks: Array) -> Box:
    """The box of landmarks (478, 3)."""
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def cut_square(pixels: Pixels, box: Box, margin: float) -> tuple[tuple[int, int], Pixels]:
    """A square around `box` with `margin` (share of its longer side) on each side, clipped to the picture.

    Returns its corner (x, y) in pixels and a contiguous copy.
    """
    side = max(box[2] - box[0], box[3] - box[1]) * (0.5 + margin)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    height, width = pixels.shape[:2]
    x0, y0 = max(int(x - side), 0), max(int(y - side), 0)
    x1, y1 = min(int(np.ceil(x + side)), width), min(int(np.ceil(y + side)), height)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return (0, 0), pixels
    return (x0, y0), np.ascontiguousarray(pixels[y0:y1, x0:x1])


def _same(a: Array, b: Array) -> bool:
    apart = np.hypot(*(a[[33, 263], :2].mean(axis=0) - b[[33, 263], :2].mean(axis=0)))
    return bool(apart < SAME * max(eye_distance(a), eye_distance(b)))


def _distinct(faces: list[Array]) -> list[Array]:
    out: list[Array] = []
    for face in faces:
        if not any(_same(face, other) for other in out):
            out.append(face)
    return out
