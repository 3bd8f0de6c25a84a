"""The working size: a large picture is taken apart at a smaller size, and the result enlarged to the picture's own.

In-painting, matting and the classes' borders take time that grows with the number of pixels, and show nothing finer at
2048 pixels than at 1024: the networks behind them see 256. Only what is seen of the picture needs all of its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.pose import Similarity

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]
Values = TypeVar("Values", bound=NDArray[Any])

LARGEST: Final = 1024
"""Longer side in pixels up to which a picture is taken apart as it is: four times that of the networks' crop."""
_SECOND: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""Differences of second differences: nought on whatever is straight along an axis."""


@dataclass(frozen=True, slots=True)
class Working:
    """The sizes (width, height) of a picture. Where both are the same, all below returns what it is given."""

    full: tuple[int, int]
    size: tuple[int, int]
    """The working size."""

    @classmethod
    def of(cls, pixels: Pixels) -> Self:
        """Of a picture (H, W, 3)."""
        height, width = pixels.shape[:2]
        share = min(LARGEST / max(width, height), 1.0)
        return cls((width, height), (max(round(width * share), 1), max(round(height * share), 1)))

    @property
    def share(self) -> float:
        """The working size as a share of the full one, at most 1."""
        return max(self.size) / max(self.full)

    def shrunk(self, pixels: Pixels) -> Pixels:
        """A picture (H, W, 3) at the working size: means."""
        return self._resized(pixels, self.size, cv2.INTER_AREA)

    def enlarged(self, values: Values) -> Values:
        """Values (h, w) or (h, w, 3) at the full size, linearly between."""
        return self._resized(values, self.full, cv2.INTER_LINEAR)

    def surely(self, cells: Bits) -> Bits:
        """`cells` (h, w) at the full size: where all around are."""
        if self.full == self.size:
            return cells
        return np.asarray(self.enlarged(np.where(cells, np.uint8(255), np.uint8(0))) == 255)

    def sharpened(self, pixels: Pixels, known: Bits, picture: Pixels) -> Pixels:
        """`pixels` (h, w, 3) at the full size: those of `picture` (H, W, 3) where they are `known` (H, W), elsewhere
        cubically enlarged, with grain as there is among the known ones."""
        if self.full == self.size:
            return pixels
        enlarged = self._resized(pixels, self.full, cv2.INTER_CUBIC)
        noise = np.random.default_rng(0).standard_normal(known.shape, np.float32)
        noise *= _grain(picture, known) * float(np.sqrt(1 - self.share**2))  # means of pixels keep `share` of it
        grain = np.rint(noise, out=noise).astype(np.int16)
        enlarged = np.asarray(cv2.add(enlarged, cv2.merge([grain] * 3), dtype=cv2.CV_8U), dtype=np.uint8)
        return np.asarray(cv2.copyTo(picture, known.view(np.uint8), enlarged), dtype=np.uint8)

    def points(self, points: Array) -> Array:
        """Points (N, 3) of the picture, in pixels of the working size."""
        if self.full == self.size:
            return points
        return points * self.share - self._shift

    def pose(self, pose: Similarity) -> Similarity:
        """A pose in the picture, in pixels of the working size."""
        if self.full == self.size:
            return pose
        translation = pose.translation * self.share - self._shift
        return Similarity(pose.rotation, translation, pose.scale * self.share)

    @property
    def _shift(self) -> Array:
        """(3,): because the middles of pixels have whole numbers at either size."""
        return np.array([0.5, 0.5, 0.0]) * (1 - self.share)

    def _resized(self, values: Values, size: tuple[int, int], way: int) -> Values:
        if self.full == self.size:
            return values
        return cast(Values, cv2.resize(values, size, interpolation=way))


def _grain(picture: Pixels, known: Bits) -> float:
    """Standard deviation, in levels, of the noise in what is `known` (H, W) of a picture (H, W, 3).

    Immerkaer, Fast Noise Variance Estimation (CVIU 1996), with the median, which edges do not sway, for the mean.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    own = np.abs(cv2.filter2D(grey, cv2.CV_16S, _SECOND)[::2, ::2][known[::2, ::2]])
    return float(np.median(own)) / (0.6745 * float(np.sqrt(np.square(_SECOND).sum()))) if own.size else 0.0
