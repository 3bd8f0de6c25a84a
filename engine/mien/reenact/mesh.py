"""The portrait's mesh: landmarks, and rings of vertices around them for hair, ears and neck.

Rings continue the face's contour outwards and backwards in the un-posed face, so they rotate with the head in 3-D. The
weight with which a ring vertex follows the head falls with distance, faster below the jaw, where neck and shoulders
stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.contacts import LOWER_LIDS, LOWER_LIP_RIM, UPPER_LIDS, UPPER_LIP_RIM
from mien.face.measures import contour_middle
from mien.face.topology import canonical_face
from mien.portrait.portrait import Portrait
from mien.reenact.body import Sway
from mien.reenact.head import head_follow, head_rings, showing
from mien.reenact.target import Target
from mien.sums import smoothstep

Array = NDArray[np.float64]

REACH: Final = np.array([1.18, 1.45, 1.85, 2.5, 3.6])
"""Distance of each ring from the middle of the face, as a multiple of the contour's."""
DEPTH: Final = np.array([0.06, 0.2, 0.35, 0.5, 0.6])
"""How far each ring lies behind the contour, in eye distances."""
FOLLOW_ABOVE: Final = np.array([1.0, 1.0, 0.85, 0.4, 0.0])
FOLLOW_BELOW: Final = np.array([0.8, 0.5, 0.28, 0.12, 0.0])
"""How far each ring follows the head above the ears and below the chin."""
EXPRESS: Final = np.array([0.6, 0.25, 0.08, 0.0, 0.0])
"""How far each ring follows its contour point's expression (the chin pushes the throat)."""
EAR, CHIN = 0.45, 1.2
"""Heights in the canonical face between which the two weights are blended."""
BORDER = 0.6
"""Width of the rim along the picture's border, in eye distances, in which rings come to rest: what the frame cuts off
cannot move away from it."""
LIP_INSET, LOWER_LID_INSET = 0.035, 0.04
"""How far, in widths of the mouth or eye, texture coordinates move beyond a fully closed rim: on the rim the
picture shows teeth, or the white of the eye, and lashes that would be stretched."""
LIP_SHARE = 0.4
"""Share of a lip's thickness that this takes at most."""

LEAST_GAP = 0.01
"""Opening in eye distances below which the portrait's own rims count as closed."""
APART = 1.03
"""Least distance of a ring from the next inner ring, relative to that ring's distance from the middle."""

SKIN = topology.SKIN_COUNT
OVAL: Final = np.array(topology.OVAL)
LIP_CORNERS: Final = (topology.INNER_LIPS[0], topology.INNER_LIPS[10])
LEAST, MOST = 0.05, 0.2
"""Bounds of the thickness, in eye widths."""
BEYOND = 0.24
"""Distance above the rim at which there is certainly skin, in eye widths."""
STEPS = 25


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A portrait's mesh; vertices are the 468 skin landmarks, then rings of 36: five, or those of the
    head's layer."""

    source: NDArray[np.float32]
    """(V, 2): in pixels of the portrait's picture."""
    triangles: NDArray[np.int32]
    """(T, 3)."""
    rings: Array
    """(R, 3): ring points on the un-posed face."""
    follow: Array
    """(R, 1): how far each follows the head, 0..1."""
    express: Array
    """(R, 1): how far each follows its contour point's expression (the chin pushes the throat)."""
    rims: Rims
    """Lips and lids of the portrait."""
    at_rest: Array
    """(R, 2): the rings in pixels of the portrait's picture."""
    shown: NDArray[np.int32] | None = None
    """(S, 3): the triangles that show something of the head's layer; None without layers."""

    @property
    def loops(self) -> int:
        """Number of its rings."""
        return len(self.rings) // len(OVAL)

    def texture(self, target: Target) -> NDArray[np.float32]:
        """(V, 2): texture coordinates in pixels of the portrait: `source`, but beyond the rims that close."""
        out = self.source.copy()
        self.rims.draw_in(target.shape, out)
        return out

    def place(
        self, portrait: Portrait, target: Target, sway: Sway | None = None, swung: Array | None = None
    ) -> NDArray[np.float32]:
        """(V, 3): the vertices of the target in pixels, z smaller is nearer.

        What does not follow the head stays, or goes along with the body where that has swayed. `swung` (R, 2): how far
        hair that swings is from where it would be.
        """
        bend = (target.shape[OVAL] - portrait.shape[OVAL]) * self.express.reshape(-1, len(OVAL), 1)
        moved = target.pose.apply(self.rings + bend.reshape(-1, 3))
        rested = self.at_rest if sway is None else sway.moved(self.at_rest)
        out = np.empty((SKIN + len(moved), 3), np.float32)
        out[:SKIN] = target.landmarks[:SKIN]
        ways = rested + self.follow * (moved[:, :2] - rested)
        if swung is not None:
            ways += swung
        out[SKIN:, :2] = _nested(target, ways)
        out[SKIN:, 2] = moved[:, 2]
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Rims:
    """Facing points of lips and lids that stand apart in the portrait, and how far texture coordinates move beyond them
    as they close."""

    upper: NDArray[np.int64]
    lower: NDArray[np.int64]
    gaps: Array
    """(n,): of the un-posed portrait."""
    over: NDArray[np.float32]
    under: NDArray[np.float32]
    """(n, 2): distances in pixels, up from the upper and down from the lower rim."""

    def draw_in(self, shape: Array, points: NDArray[np.float32]) -> None:
        """Move the rims in `points` (V, 2) as far as the target's `shape` (478, 3) has closed them."""
        gaps = shape[self.lower, 1] - shape[self.upper, 1]
        closed = np.minimum(np.maximum(1 - gaps / self.gaps, 0.0), 1.0).astype(np.float32)[:, None]
        points[self.upper] += closed * self.over
        points[self.lower] += closed * self.under


def mesh_of(portrait: Portrait) -> Mesh:
    """The mesh of a portrait."""
    rings = _rings(portrait) if portrait.layers is None else head_rings(portrait, portrait.layers)
    outside = portrait.pose.apply(rings)
    source = np.concatenate([portrait.landmarks[:SKIN, :2], outside[:, :2]]).astype(np.float32)
    rims = _rims(portrait)
    triangles = mesh_triangles(len(rings) // len(OVAL))
    if portrait.layers is not None:
        follow, express = head_follow(portrait, rings)
        shown = showing(portrait.layers.head, source, triangles)
        return Mesh(source, triangles, rings, follow, express, rims, outside[:, :2], shown)
    follow = _follow(portrait.shape) * _border_share(outside[:, :2], portrait)
    express = np.repeat(EXPRESS, len(OVAL))
    return Mesh(source, triangles, rings, follow[:, None], express[:, None], rims, outside[:, :2])


def _rings(portrait: Portrait) -> Array:
    """(R, 3): ring points on the un-posed face.

    They are laid out in the picture, around the contour as it is seen, since what lies outside of it there is what goes
    along; laid out in space, the far side of a turned head would reach into its own face.
    """
    contour = portrait.landmarks[OVAL]
    middle = contour_middle(portrait.shape, portrait.pose)
    out = np.repeat(contour[None], len(REACH), axis=0)
    out[:, :, :2] = middle[:2] + REACH[:, None, None] * (contour - middle)[None, :, :2]
    out[:, :, 2] += DEPTH[:, None] * portrait.pose.scale
    return portrait.pose.undo(out.reshape(-1, 3))


def _nested(target: Target, points: Array) -> Array:
    """Ring points (R, 2) in the picture, each kept outside of the ring before it, so that no ring folds."""
    contour = target.landmarks[OVAL, :2]
    middle = contour.mean(axis=0)
    ways = np.concatenate([contour, points]).reshape(-1, len(OVAL), 2) - middle
    away = np.hypot(ways[..., 0], ways[..., 1])
    steps = APART ** np.arange(len(away))[:, None]
    reach = np.maximum.accumulate(away / steps, axis=0) * steps
    ways *= (reach / np.maximum(away, 1e-6))[..., None]
    return np.asarray((ways[1:] + middle).reshape(-1, 2))


def _follow(shape: Array) -> Array:
    down = smoothstep(np.clip((shape[OVAL, 1] - EAR) / (CHIN - EAR), 0.0, 1.0))
    return np.asarray(FOLLOW_ABOVE[:, None] * (1 - down) + FOLLOW_BELOW[:, None] * down).ravel()


def _border_share(points: Array, portrait: Portrait) -> Array:
    width, height = portrait.size
    gap = np.minimum(points, np.array([width - 1, height - 1]) - points).min(axis=1)
    return np.asarray(smoothstep(np.clip(gap / (BORDER * portrait.pose.scale), 0.0, 1.0)))


def _rims(portrait: Portrait) -> Rims:
    rims = [_rim(portrait, UPPER_LIP_RIM, LOWER_LIP_RIM, LIP_CORNERS, *_lip_insets(portrait))]
    for eye, upper, lower in zip(topology.EYES, UPPER_LIDS, LOWER_LIDS, strict=True):
        rims.append(_rim(portrait, upper, lower, (eye[0], eye[8]), _lashes(portrait, eye, upper), LOWER_LID_INSET))
    return Rims(
        np.concatenate([rim.upper for rim in rims]),
        np.concatenate([rim.lower for rim in rims]),
        np.concatenate([rim.gaps for rim in rims]),
        np.concatenate([rim.over for rim in rims]),
        np.concatenate([rim.under for rim in rims]),
    )


def _rim(
    portrait: Portrait,
    upper: NDArray[np.int64],
    lower: NDArray[np.int64],
    corners: tuple[int, int],
    over: float,
    under: float,
) -> Rims:
    down = _down(portrait, corners).astype(np.float32)
    gaps = portrait.shape[lower, 1] - portrait.shape[upper, 1]
    apart = gaps > LEAST_GAP
    each = (int(apart.sum()), 1)
    return Rims(upper[apart], lower[apart], gaps[apart], np.tile(-over * down, each), np.tile(under * down, each))


def _lip_insets(portrait: Portrait) -> tuple[float, float]:
    """How far texture coordinates move into the upper and the lower lip, in widths of the mouth."""
    width = portrait.shape[LIP_CORNERS[1], 0] - portrait.shape[LIP_CORNERS[0], 0]
    ring = np.array(topology.OUTER_LIPS)
    pairs = ((UPPER_LIP_RIM, ring[1:10]), (LOWER_LIP_RIM, ring[19:10:-1]))
    upper, lower = (
        float(np.abs(portrait.shape[edge, 1] - portrait.shape[rim, 1]).mean() / width) for rim, edge in pairs
    )
    return min(LIP_INSET, LIP_SHARE * upper), min(LIP_INSET, LIP_SHARE * lower)


def _down(portrait: Portrait, corners: tuple[int, int]) -> Array:
    """(2,): vector in pixels, downwards across an eye or mouth, as long as the distance of its corners."""
    across = portrait.landmarks[corners[1], :2] - portrait.landmarks[corners[0], :2]
    across = across if across[0] >= 0 else -across
    return np.array([-across[1], across[0]])


def _lashes(portrait: Portrait, eye: tuple[int, ...], upper: NDArray[np.int64]) -> float:
    lid = portrait.landmarks[upper[1:-1], :2]
    return lash_thickness(portrait.pixels, lid, -_down(portrait, (eye[0], eye[8])))


@lru_cache(maxsize=4)
def mesh_triangles(rings: int = len(REACH)) -> NDArray[np.int32]:
    """(T, 3): canonical triangles, strips that fill eyes and mouth, and strips between the rings. Read-only."""
    start, end = LIP_CORNERS
    strips = [_strip((start, *UPPER_LIP_RIM), (start, *LOWER_LIP_RIM), end)]
    for eye, upper, lower in zip(topology.EYES, UPPER_LIDS, LOWER_LIDS, strict=True):
        strips.append(_strip((eye[0], *upper), (eye[0], *lower), eye[8]))
    loops = [OVAL, *(SKIN + np.arange(rings * len(OVAL)).reshape(rings, len(OVAL)))]
    for inner, outer in pairwise(loops):
        after_in, after_out = np.roll(inner, -1), np.roll(outer, -1)
        strips.append(np.stack([inner, outer, after_out], axis=1))
        strips.append(np.stack([inner, after_out, after_in], axis=1))
    out = np.concatenate([canonical_face().triangles, *strips]).astype(np.int32)
    out.flags.writeable = False
    return out


def _strip(upper: tuple[int, ...], lower: tuple[int, ...], end: int) -> NDArray[np.int64]:
    """Triangles between two rims that start at one corner and close at another."""
    rows: list[tuple[int, int, int]] = []
    above, below = (*upper, end), (*lower, end)
    for i in range(len(above) - 1):
        rows.append((above[i], above[i + 1], below[i + 1]))
        rows.append((above[i], below[i + 1], below[i]))
    return np.array([row for row in rows if len(set(row)) == 3], dtype=np.int64)


def lash_thickness(pixels: NDArray[np.uint8], lid: Array, up: Array) -> float:
    """Share of an eye width, from pixels (H, W, 3), the upper rim `lid` (n, 2) and `up` (2,), one eye width upwards.

    Measured on lines upwards from the rim: where brightness is halfway from the darkest pixel to the skin's.
    """
    ways = np.linspace(0.0, BEYOND, STEPS)
    places = lid[:, None] + ways[None, :, None] * up
    x, y = np.rint(places).astype(np.int64).transpose(2, 0, 1)
    height, width = pixels.shape[:2]
    luma = pixels[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.float64).mean(axis=2)
    ends = []
    for row in luma:
        darkest = int(row[: STEPS // 2].argmin())
        lighter = np.flatnonzero(row[darkest:] > (row[darkest] + row[-1]) / 2)
        ends.append(ways[darkest + lighter[0]] if len(lighter) else LEAST)
    return float(np.clip(np.percentile(ends, 75), LEAST, MOST))
