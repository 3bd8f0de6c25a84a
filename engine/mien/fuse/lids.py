"""Closed eyes: lids are warped from the portrait's own skin, not taken from the generator.

The portrait shows the skin of an open lid, so a warp reproduces it better than a generator trained on few closed eyes.
Lids in drawings and paintings also keep their style this way.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.draw.eyes import eye_frame, opening
from mien.face import topology
from mien.plane import Box
from mien.sums import smoothstep

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

FROM: Final = 0.5
ALL: Final = 0.15
"""Opening relative to the portrait's at which the skin begins to replace paint, and at which it replaces all of it."""
REACH: Final = ((0.55, 0.32), (0.8, 0.5))
"""Half axes, in eye widths, of the ellipses within which the skin has full weight, and outside which it has none."""


class Lids:
    """Warped skin of closed eyes: copied before the painting is pasted, and pasted over it afterwards.

    Use: lids = Lids(...); paste the painting into `window`; lids.lay(window)
    """

    def __init__(self, source: Array, target: Array, window: Pixels) -> None:
        """`window` (H, W, 3) holds the warped skin with its eyes and is only read; `source` and `target` are landmarks
        (478, 2 or 3) in its pixels."""
        self._kept: list[tuple[Box, Pixels, Floats]] = []
        for eye in topology.EYES:
            ring = target[list(eye), :2]
            share = _share(source[list(eye), :2], ring)
            reach = REACH[1][0] * float(np.linalg.norm(ring[8] - ring[0]))
            box = Box.around(ring, int(np.ceil(reach)), window.shape[1], window.shape[0]) if share else None
            if box is not None:
                self._kept.append((box, window[box.area].copy(), share * _around(ring, box)))

    def lay(self, window: Pixels) -> None:
        """Lay them over the paint in `window` (H, W, 3)."""
        for box, skin, share in self._kept:
            paint = window[box.area].astype(np.float32)
            window[box.area] = (paint + (skin - paint) * share[..., None] + np.float32(0.5)).astype(np.uint8)


def _share(ring: Array, ring_to: Array) -> float:
    """0..1: how much of an eye is shown by the skin, for outlines (16, 2) of the portrait's and of the target's."""
    open_to = opening(ring_to) / max(opening(ring), 1e-6)
    return smoothstep(float(np.clip((FROM - open_to) / (FROM - ALL), 0.0, 1.0)))


def _around(ring: Array, box: Box) -> Floats:
    """(h, w) in 0..1: 1 around an eye, falling to 0."""
    frame = eye_frame(ring)
    ys, xs = np.mgrid[box.area].astype(np.float64)
    place = frame.local(np.stack([xs, ys], axis=-1))
    inner, outer = (np.linalg.norm(place / np.array(axes), axis=-1) for axes in REACH)
    share = np.clip((1 - outer) / np.maximum(inner - outer, 1e-6), 0.0, 1.0)
    return np.asarray(np.where(inner <= 1, 1.0, share), dtype=np.float32)
