"""The neck behind the head: on from what is seen of it, up to the skull."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.pose import Similarity

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

SKULL: Final = (0.0, 0.7, 0.1)
"""The canonical point at which the neck ends, behind the face."""
THINNEST, USUAL, WIDEST = 0.42, 0.56, 0.85
"""Half the neck's width in eye distances."""
CONVERGING: Final = 0.6
"""Width of the neck's upper end, as a share of its width below the jaw."""
SIDES: Final = (-1, 1)
HIGHEST, LOWEST = 1.0, 0.5
"""Between which heights above and below the chin the neck's outline meets the head's, in eye distances."""
FARTHEST: Final = 1.5
"""How far beside the chin it does at most, in eye distances."""
UPRIGHT: Final = 1.0
"""Slope of a body's outline below the head from which it is not a neck's: columns per row."""
LEANS: Final = (0.05, 0.6)
"""Slope inwards with which the neck goes on behind the head, at least and at most."""
INWARDS: Final = 0.06
"""How far within its outline a neck must show skin, in eye distances: the outline itself is soft."""
BELOW: Final = 0.25
"""Eye distances below the head over which the outline's slope is measured."""
INSET: Final = 0.15
"""How far within the silhouette a side of the neck stays of which nothing is seen, in eye distances."""


def neck_behind(
    head: Floats, body: Floats, whole: Floats, skin: Bits, landmarks: Array, pose: Similarity, room: Floats
) -> Pixels:
    """(H, W): 255 where the neck is, from below the jaw up to the skull, seen or not.

    Args:
        head, body, whole: (H, W) in 0..1: opacities of what is seen of the head, of the body, and of both.
        skin: (H, W): where the neck is bare.
        landmarks: (478, 3) in pixels, posed by `pose`.
        room: (H, W): distance to the background in pixels.
    """
    unit, chin, across = pose.scale, landmarks[152, :2], _level(pose)
    low = chin + BELOW * unit * np.array([-across[1], across[0]])
    seen = [_outline(body, whole, skin, chin, side, unit) for side in SIDES]
    half = [
        _half(head, body, chin, side * across, unit) if own is None else float(side * (own[-1] - chin) @ across)
        for side, own in zip(SIDES, seen, strict=True)
    ]
    top = pose.apply(np.array([SKULL]))[0, :2] + 0.3 * across * (half[1] - half[0]) / 2
    width = CONVERGING * (half[0] + half[1]) / 2
    sides = []
    for side, own, reach in zip(SIDES, seen, half, strict=True):
        begins, ends = low + side * across * reach, top + side * across * width
        sides.append(np.stack([begins, ends] if own is None else [begins, *own, *_bent(own, ends, side)]))
    out = np.zeros(head.shape, np.uint8)
    around = np.concatenate([sides[0], sides[1][::-1]])
    cv2.fillPoly(out, [np.rint(around * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    x = int(np.clip(np.rint(chin[0]), 0, head.shape[1]))
    for part, own in ((np.s_[:, :x], seen[0]), (np.s_[:, x:], seen[1])):
        if own is None:
            out[part][room[part] < INSET * unit] = 0
    return out


def _outline(body: Floats, whole: Floats, skin: Bits, chin: Array, side: int, unit: float) -> Array | None:
    """(2, 2): a side of the neck that is seen before the background, upwards to where the head covers it; None if
    cloth or hair is there."""
    height, width = body.shape
    x, y = np.clip(np.rint(chin).astype(int), 0, (width - 1, height - 1))
    first, last = (int(np.clip(y + way * unit, 0, height)) for way in (-HIGHEST, LOWEST))
    outwards = np.s_[first:last, x:] if side > 0 else np.s_[first:last, x::-1]
    empty, own = whole[outwards] < 0.5, body[outwards] > 0.5
    edge = np.where(empty.any(axis=1), empty.argmax(axis=1), FARTHEST * unit + 1)
    bodys = own[np.arange(len(own)), np.clip(edge - 1, 0, own.shape[1] - 1).astype(int)]
    heads = np.flatnonzero(~bodys)
    meets = int(heads[-1]) + 1 if len(heads) else 0
    below = meets + round(BELOW * unit)
    if meets <= 0 or below >= len(edge) or edge[meets : below + 1].max() > FARTHEST * unit:
        return None
    if edge[below] - edge[meets] > UPRIGHT * (below - meets):
        return None
    inwards = np.clip(edge[meets : below + 1] - INWARDS * unit, 0, own.shape[1] - 1).astype(int)
    if skin[outwards][np.arange(meets, below + 1), inwards].mean() < 0.5:
        return None
    return np.array([[x + side * (edge[at] - 0.5), first + at] for at in (below, meets)])


def _bent(seen: Array, end: Array, side: int) -> Array:
    """(N, 2): from the upper end of what is `seen` (2, 2) of a side of the neck on in its direction, bent to `end`."""
    way = seen[1] - seen[0]
    lean = np.clip(side * way[0] / way[1], *LEANS)  # both negative where it leans inwards going up
    length = float(np.linalg.norm(end - seen[1]))
    through = seen[1] + 0.5 * length * np.array([-side * lean, -1.0]) / np.hypot(lean, 1)
    share = np.linspace(0, 1, 9)[1:, None]
    return np.asarray((1 - share) ** 2 * seen[1] + 2 * share * (1 - share) * through + share**2 * end)


def _level(pose: Similarity) -> Array:
    """(2,): the direction to the head's side in the picture."""
    way = pose.rotation[:2, 0]
    return np.asarray(way / np.linalg.norm(way))


def _half(head: Floats, body: Floats, chin: Array, way: Array, unit: float) -> float:
    """How far the neck reaches to one side of the chin, in pixels: as far as skin of the body touches the jaw."""
    reach = np.arange(THINNEST, WIDEST, 0.02) * unit
    down = np.array([-way[1], way[0]])
    down = down if down[1] > 0 else -down
    places = chin + reach[:, None, None] * way + (np.arange(-0.9, 0.25, 0.03) * unit)[None, :, None] * down
    x, y = np.rint(places).astype(np.int64).transpose(2, 0, 1)
    height, width = head.shape
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    touches = (((body[y, x] > 0.5) & inside).any(axis=1)) & (((head[y, x] > 0.5) & inside).any(axis=1))
    if not touches.any():
        return USUAL * unit
    return float(np.clip(reach[touches].max(), USUAL * unit, WIDEST * unit))
