"""Face detection in a single picture, thorough rather than fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.face.face import QUARTERS, eye_distance, quarters_of, turned_back, turned_pixels
from mien.face.pose import RIGID, angles_of, fit_pose
from mien.face.topology import canonical_face
from mien.parse.landmarker import Landmarker
from mien.plane import Bounds

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
MARGIN = 0.6
"""Margin on each side of a detector's box, relative to its longer side."""
SMALLEST_TILE = 256
"""Pixels: a picture is not cut into smaller squares to look for faces."""
SAME = 0.7
"""Two finds whose eyes' middles are nearer than this many eye distances are one face."""

TILTED = 60.0
"""Degrees of roll from which on a face is looked at in a turned picture."""
AMISS, WRONG = 0.04, 0.05
"""How far the head's rigid landmarks lie, in eye distances, off where a head has them, from which on they are doubted,
and from which on they are not believed where only a turned picture shows them. Faces that stand on their heads are
found, too, but with the chin for a forehead. Usual are 0.01 to 0.04 upright, 0.05 to 0.1 so."""
BETTER = 0.75
"""Share of that up to which what a turned picture shows is believed instead."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A face, however the picture is held."""

    landmarks: Array
    """(478, 3) in pixels of the picture."""
    turn: int = 0
    """Quarters by which the picture is to be turned counter-clockwise for the face to stand upright."""


def find_turned(pixels: Pixels, mesh: Landmarker, turns: Sequence[int] = QUARTERS[1:]) -> list[DetectedFace]:
    """As `find_faces`, with faces that lie on their side or stand on their head.

    Args:
        turns: how the picture is turned to look for faces where it shows none.
    """
    upright = find_faces(pixels, mesh)
    if upright:
        return [DetectedFace(face) if _stands(face) else _turned_about(pixels, face, mesh) for face in upright]
    others = [found for turn in turns for found in _in_turned(pixels, turn, mesh)]
    best = sorted((found for found in others if _amiss(found.landmarks) < WRONG), key=lambda f: _amiss(f.landmarks))
    kept = [f for i, f in enumerate(best) if not any(_close(f.landmarks, b.landmarks) for b in best[:i])]
    return sorted(kept, key=lambda found: eye_distance(found.landmarks), reverse=True)


def _in_turned(pixels: Pixels, turn: int, mesh: Landmarker) -> list[DetectedFace]:
    size = pixels.shape[1], pixels.shape[0]
    faces = mesh(turned_pixels(pixels, turn))
    return [DetectedFace(turned_back(face, size, turn), turn) for face in faces if quarters_of(face) == 0]


def _turned_about(pixels: Pixels, face: Array, mesh: Landmarker) -> DetectedFace:
    """The best detection of a tilted or doubtful face, among turned cuts of its surroundings."""
    corner, cut = cut_square(pixels, bounds(face), MARGIN)
    away = np.array([*corner, 0.0])
    others = [found for turn in QUARTERS[1:] for found in _in_turned(cut, turn, mesh)]
    there = [replace(found, landmarks=found.landmarks + away) for found in others]
    there = [found for found in there if _close(found.landmarks, face)]
    best = min(there, key=lambda found: _amiss(found.landmarks), default=None)
    most = BETTER * _amiss(face) if abs(_roll(face)) <= TILTED else max(_amiss(face) / BETTER, WRONG)
    return DetectedFace(face) if best is None or _amiss(best.landmarks) > most else best


def _stands(face: Array) -> bool:
    return abs(_roll(face)) <= TILTED and _amiss(face) < AMISS


def _roll(face: Array) -> float:
    return angles_of(fit_pose(face).rotation).roll


def _amiss(face: Array) -> float:
    """How far the rigid landmarks lie off a head's, root mean square in eye distances."""
    off = fit_pose(face).undo(face)[RIGID] - canonical_face().points[RIGID]
    return float(np.sqrt(np.mean(np.sum(off**2, axis=1))))


def _close(a: Array, b: Array) -> bool:
    """Whether two detections are of one head, in whatever orientation."""
    apart = np.hypot(*(a[:, :2].mean(axis=0) - b[:, :2].mean(axis=0)))
    return bool(apart < max(fit_pose(a).scale, fit_pose(b).scale))


def find_faces(pixels: Pixels, mesh: Landmarker) -> list[Array]:
    """Landmarks (478, 3) in pixels of every face in `pixels` (H, W, 3), largest first; `mesh` looks at stills."""
    faces = list(mesh(pixels))
    if not faces:
        for box in mesh.boxes(pixels) or _boxes_in_tiles(pixels, mesh):
            corner, cut = cut_square(pixels, box, MARGIN)
            faces += [face + np.array([*corner, 0.0]) for face in mesh(cut)[:1]]
    return sorted(_distinct(faces), key=eye_distance, reverse=True)


def _boxes_in_tiles(pixels: Pixels, mesh: Landmarker) -> list[Bounds]:
    """Detections in overlapping squares of half the picture's length."""
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


def refine(pixels: Pixels, landmarks: Array, mesh: Landmarker, looks: int = 5) -> Array:
    """Median landmarks (478, 3) over several slightly different crops: steadier than a single detection."""
    found = [landmarks]
    for look in range(looks):
        margin = 0.35 + 0.08 * look
        corner, cut = cut_square(pixels, bounds(landmarks), margin)
        faces = [face + np.array([*corner, 0.0]) for face in mesh(cut)]
        found += [face for face in faces if _same(face, landmarks)]
    return np.asarray(np.median(found[1:] or found, axis=0))


def bounds(landmarks: Array) -> Bounds:
    """The box of landmarks (478, 3)."""
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def cut_square(pixels: Pixels, box: Bounds, margin: float) -> tuple[tuple[int, int], Pixels]:
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
