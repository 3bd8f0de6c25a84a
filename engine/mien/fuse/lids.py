"""Closed eyes: lids are warped from the portrait's own skin, not taken from the generator.

The portrait shows the skin of an open lid, so a warp reproduces it better than a generator trained on few closed eyes.
Lids in drawings and paintings also keep their style this way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.draw.eyes import RINGS, eye_frame, opening
from mien.face import topology
from mien.plane import Box
from mien.sums import smoothstep
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

FROM: Final = 0.5
ALL: Final = 0.15
"""Opening relative to the portrait's at which the skin begins to replace paint, and at which it replaces all of it."""
DRAWN: Final = (0.07, 0.12)
"""Widths of lashes, in eye widths, from which an eye looks made up, and from which it surely is a drawing's."""
SOONER: Final = 0.3
"""How much sooner the skin replaces paint of a drawing, of which a generator trained on photographs knows little."""
REACH: Final = ((0.55, 0.32), (0.8, 0.5))
"""Half axes, in eye widths, of the ellipses within which the skin has full weight, and outside which it has none."""


class Lids:
    """Callable for one portrait: the warped skin of closed eyes, to be laid over the painting afterwards."""

    def __init__(self, source: Array, lashes: tuple[float, float] = (0.0, 0.0)) -> None:
        """`source` are the portrait's landmarks (478, 2 or 3), `lashes` the widths of its lashes in eye widths."""
        self._openings = [max(opening(source[list(eye), :2]), 1e-6) for eye in topology.EYES]
        drawn = (np.array(lashes) - DRAWN[0]) / (DRAWN[1] - DRAWN[0])
        self._sooner = SOONER * np.clip(drawn, 0, 1)

    def __call__(self, target: Array, window: Pixels) -> list[Lid]:
        """What is to be laid over paint in `window` (H, W, 3), which holds the warped skin with its eyes and is only
        read; `target` are landmarks (478, 2 or 3) in its pixels."""
        lids = []
        for own, sooner, ring in zip(self._openings, self._sooner, target[RINGS, :2], strict=True):
            share = _share(opening(ring) / own - sooner)
            if share:
                reach = REACH[1][0] * float(np.linalg.norm(ring[8] - ring[0]))
                box = Box.around(ring, int(np.ceil(reach)), window.shape[1], window.shape[0])
                if box is not None:
                    lids.append(Lid(box, window[box.area].copy(), np.float32(share) * _around(ring, box)))
        return lids


@dataclass(frozen=True, slots=True, eq=False)
class Lid:
    """The warped skin of one eye."""

    box: Box
    skin: Pixels
    """(h, w, 3)."""
    share: Floats
    """(h, w) in 0..1: how much of it is seen."""

    def lay(self, window: Pixels) -> None:
        """Lay it over the paint in `window` (H, W, 3)."""
        paint = window[self.box.area].copy()
        window[self.box.area] = ops.blend(paint, self.skin, self.share, paint)


def _share(open_to: float) -> float:
    """0..1: how much of an eye is shown by the skin, for its opening relative to the portrait's."""
    return smoothstep(min(max((FROM - open_to) / (FROM - ALL), 0.0), 1.0))


def _around(ring: Array, box: Box) -> Floats:
    """(h, w) in 0..1: 1 around an eye, falling to 0."""
    frame = eye_frame(ring)
    axes = frame.axes / (frame.axes[0] @ frame.axes[0])
    x, y = np.arange(box.x, box.right) - frame.middle[0], np.arange(box.y, box.bottom) - frame.middle[1]
    squares = [np.square(axis[0] * x + (axis[1] * y)[:, None]) for axis in axes]
    inner, outer = (np.sqrt(squares[0] / across**2 + squares[1] / down**2) for across, down in REACH)
    share = (1 - outer) / np.maximum(inner - outer, 1e-6)
    share[inner <= 1] = 1.0
    return np.asarray(np.minimum(np.maximum(share, 0.0), 1.0), dtype=np.float32)
