"""The geometry of one eye that is drawn: one value for all devices, as the C++ header has it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien_kernels.checks import F32, RIM_POINTS, expect, expect_range

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class EyeGeometry:
    """Where an eye of a picture is drawn, see `ops.draw_eye`. Its arrays are NumPy's wherever the op runs.

    An eye's coordinates have their origin between its corners, x along them, and their distance as unit.
    """

    corner: tuple[int, int]
    """x and y of the first pixel of `out` that the mask covers."""
    to_eye: Floats
    """(2, 3): pixel of `out` -> the target's eye."""
    to_picture: Floats
    """(2, 3): the picture's eye -> its pixel."""
    looks: Floats
    """(2, 2): middles of the target's and of the picture's iris, in the eye's coordinates."""
    lids: Floats
    """(4, 9, 2): points of the picture's upper and lower lid and of the target's, in the same, in any order."""
    radius: float
    """Of the picture's iris, in the eye's coordinates."""
    hold: float = 1.25
    """Within so many of its radii all moves with the iris."""
    fade: float = 2.6
    """From so many of its radii on nothing does."""
    margin: float = 0.02
    """What is left out of the picture along lids that have moved, in the eye's coordinates: it shows lashes there."""

    def check(self, channels: int, size: tuple[int, ...], box: tuple[int, ...]) -> None:
        """Raise unless it can be drawn from a picture of so many channels into an array of this size, wherever that is.

        Args:
            size: (H, W, 3) of `out`.
            box: (rows, columns) of the mask.
        """
        expect_range("picture channels", channels, 3, 4)
        expect("to_eye", self.to_eye, (F32,), (2, 3))
        expect("to_picture", self.to_picture, (F32,), (2, 3))
        expect("looks", self.looks, (F32,), (2, 2))
        expect("lids", self.lids, (F32,), (4, RIM_POINTS, 2))
        left, top = self.corner
        if left < 0 or top < 0 or left + box[1] > size[1] or top + box[0] > size[0]:
            raise ValueError(
                f"corner: expected a box of {box[1]}x{box[0]} within {size[1]}x{size[0]}, got {self.corner}"
            )
        expect_range("radius", self.radius, 1e-6, 1e6)
        expect_range("hold", self.hold, 0.0, 1e6)
        expect_range("fade", self.fade, self.hold + 1e-3, 1e7)
        expect_range("margin", self.margin, 0.0, 1e6)
