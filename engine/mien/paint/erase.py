"""Erasing of invalid areas of the warped portrait before the generator sees it.

These are the inner mouth, always; the inner parts of lips that close over a mouth that the portrait has open; and skin
that the flow stretches too far or mirrors: lids over an opening eye, a cheek that was hidden.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.contacts import LOWER_LIP_RIM, UPPER_LIP_RIM, lip_gaps
from mien.face.pose import Similarity
from mien_kernels import ops

Array = NDArray[np.float64]

NOTHING: Final = 128
"""The byte for "unknown"; it becomes 0 in the generator's inputs."""
MOUTH_GAIN: Final = 6.0
"""Gain from a pixel's coverage by the inner mouth to how much is erased: the rim would show the portrait's own
teeth."""
STRETCHED, BEARABLE = 0.12, 0.25
"""Portrait pixels per target pixel below which everything, and above which nothing, is erased."""

INNER, OUTER = np.array(topology.INNER_LIPS), np.array(topology.OUTER_LIPS)
WAS_OPEN, SHUTS = 0.12, 0.10
"""Gaps of the lips in eye distances: of the portrait from which on, and of the target below which, lips close."""
LEAST_OPEN: Final = 0.04
"""Gap of the portrait's lips in eye distances up to which it shows nothing between them."""
LIP_SHARE: Final = 0.5
"""Fraction of a lip, from its rim, that is erased where it closes: a landmarker finds the rim of a wide mouth only to
a few pixels, so that teeth are left on the warped lips as a white line."""


def erased_mouth(portrait: Array, landmarks: Array, pose: Similarity) -> Array:
    """(20, 2): outline of the inner mouth of target `landmarks` (478, 3), in their pixels, widened where lips close.

    Args:
        portrait: (478, 3), the portrait's un-posed shape.
        landmarks: the target's.
        pose: the target's.
    """
    inner = landmarks[INNER, :2]
    own = lip_gaps(portrait)
    if own.max() <= LEAST_OPEN:
        return np.asarray(inner)
    down = (landmarks[LOWER_LIP_RIM] - landmarks[UPPER_LIP_RIM]) @ pose.rotation[:, 1] / pose.scale
    closing = np.clip((own - LEAST_OPEN) / (WAS_OPEN - LEAST_OPEN), 0.0, 1.0) * np.clip(1 - down / SHUTS, 0.0, 1.0)
    share = np.zeros((len(INNER), 1))
    share[1:10, 0], share[19:10:-1, 0] = closing, closing
    return np.asarray(inner + LIP_SHARE * share * (landmarks[OUTER, :2] - inner))


class Erasing:
    """Callable that erases in place; its buffers are for pictures of one shape (h, w), both even."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._share = np.empty(shape, np.float32)
        self._nothing = np.full((*shape, 3), NOTHING, np.uint8)

    def __call__(
        self, warped: NDArray[np.uint8], mouth: NDArray[np.float32], flow: NDArray[np.float32], threads: int = 1
    ) -> None:
        """Replace invalid areas of `warped` (h, w, 3) by `NOTHING`.

        mouth: (h, w), the share of each pixel within the outline of `erased_mouth`. flow: (h, w, 2), absolute, of
        target pixels to as large portrait pixels.
        """
        share = self._share
        stretch = _stretch(flow)
        for row in (0, 1):
            for column in (0, 1):
                share[row::2, column::2] = stretch
        np.maximum(share, np.minimum(mouth * np.float32(MOUTH_GAIN), np.float32(1)), out=share)
        ops.blend(warped, self._nothing, share, warped, threads=threads)


def _stretch(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h / 2, w / 2) in 0..1: 1 where the determinant of the flow's derivative is below `STRETCHED`.

    It is averaged over 6 x 6 pixels, so that single thin triangles do not count.
    """
    places = flow.view(np.complex64)[..., 0]  # x and y as one complex number: several times as fast as pairs
    right = places[::2, 1::2] - places[::2, ::2]
    down = places[1::2, ::2] - places[::2, ::2]
    area = _mean3(np.asarray((np.conj(right) * down).imag, dtype=np.float32))
    return np.asarray(np.clip((BEARABLE - area) / (BEARABLE - STRETCHED), 0, 1), dtype=np.float32)


def _mean3(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means over 3 x 3, edges repeated."""
    wide = np.empty((values.shape[0] + 2, values.shape[1] + 2), np.float32)  # np.pad takes as long as all the rest
    wide[1:-1, 1:-1], wide[1:-1, 0], wide[1:-1, -1] = values, values[:, 0], values[:, -1]
    wide[0], wide[-1] = wide[1], wide[-2]
    rows = wide[:-2] + wide[1:-1] + wide[2:]
    return np.asarray((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9), dtype=np.float32)
