"""Erasing of invalid areas of the warped portrait before the generator sees it.

These are the inner mouth, always, and skin that the flow stretches too far or mirrors: lids over an opening eye, a
cheek that was hidden.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien_kernels import ops

NOTHING: Final = 128
"""The byte for "unknown"; it becomes 0 in the generator's inputs."""
MOUTH_GAIN: Final = 6.0
"""Gain from a pixel's coverage by the inner mouth to how much is erased: the rim would show the portrait's own
teeth."""
STRETCHED, BEARABLE = 0.12, 0.25
"""Portrait pixels per target pixel below which everything, and above which nothing, is erased."""


class Erasing:
    """Callable that erases in place; its buffers are for pictures of one shape (h, w), both even."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._share = np.empty(shape, np.float32)
        self._nothing = np.full((*shape, 3), NOTHING, np.uint8)

    def __call__(
        self, warped: NDArray[np.uint8], mouth: NDArray[np.float32], flow: NDArray[np.float32], threads: int = 1
    ) -> None:
        """Replace invalid areas of `warped` (h, w, 3) by `NOTHING`.

        mouth: (h, w), the share of the target's inner mouth, as in its parsing map. flow: (h, w, 2), absolute, of
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
