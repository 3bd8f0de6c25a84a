"""The face that `parse` finds in a frame, the mouth hint, and quarter turns of pictures and landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.face import topology

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Size = tuple[int, int]
"""(width, height) in pixels."""

QUARTERS = (0, 1, 2, 3)
"""By how many quarters a picture is turned counter-clockwise, as `numpy.rot90` counts them."""


def turned_pixels(pixels: Pixels, turn: int) -> Pixels:
    """`pixels` (H, W, C) turned counter-clockwise by `turn` quarters, contiguous; itself where there is none."""
    return pixels if turn == 0 else np.ascontiguousarray(np.rot90(pixels, turn))


def turned_size(size: Size, turn: int) -> Size:
    """The size of a picture of `size` once turned."""
    return size if turn % 2 == 0 else (size[1], size[0])


def turned_points(points: Array, size: Size, turn: int) -> Array:
    """Points (N, 3) of a picture of `size` where the picture turned by `turn` quarters shows them; z stays."""
    if turn == 0:
        return points
    x, y, z = points.T
    right, bottom = size[0] - 1, size[1] - 1
    across, down = ((y, right - x), (right - x, bottom - y), (bottom - y, x))[turn - 1]
    return np.stack([across, down, z], axis=1)


def turned_back(points: Array, size: Size, turn: int) -> Array:
    """The inverse of `turned_points`: `size` is that of the picture before it was turned."""
    return turned_points(points, turned_size(size, turn), -turn % 4)


def quarters_of(landmarks: Array) -> int:
    """Number of quarter turns that bring a face of landmarks (478, 2 or 3) closest to upright."""
    across = landmarks[263, :2] - landmarks[33, :2]
    return int(np.rint(np.arctan2(across[1], across[0]) / (np.pi / 2))) % 4


@dataclass(frozen=True, slots=True, eq=False)
class MouthHint:
    """The driver's inner mouth: the only picture of the driver that may enter the result."""

    pixels: NDArray[np.uint8]
    """(h, w, 3): a crop around the lips."""
    outline: NDArray[np.float64]
    """(20, 2): the inner lips' outline in pixels of the crop, in the order of `topology.INNER_LIPS`."""
    lip_colour: NDArray[np.float64]
    """(3,): mean colour of the lips in 0..255, to match brightness by."""
    skin_colour: NDArray[np.float64] | None = None
    """(3,): colour of the cheeks in 0..255, to match the light's colour by; None: not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in a frame."""

    landmarks: NDArray[np.float64]
    """(478, 3): x, y in pixels of the frame, z in the same scale, smaller is nearer."""
    size: tuple[int, int]
    """(width, height) of the frame in pixels."""
    hint: MouthHint | None = None
    turn: int = 0
    """Quarters by which the frame is to be turned counter-clockwise for the face to stand upright."""
    shot: int = 0
    """Number of the driver's shot that the frame is of."""

    @property
    def upright(self) -> NDArray[np.float64]:
        """(478, 3): the landmarks in the frame once turned."""
        return turned_points(self.landmarks, self.size, self.turn)

    def __post_init__(self) -> None:
        if self.landmarks.shape != (topology.COUNT, 3):
            raise ValueError(f"landmarks must be ({topology.COUNT}, 3), got {self.landmarks.shape}")


def eye_distance(landmarks: NDArray[np.float64]) -> float:
    """Distance of the outer eye corners in the picture, in pixels, for landmarks (478, 2 or 3)."""
    across = landmarks[topology.RIGHT_EYE[0], :2] - landmarks[topology.LEFT_EYE[0], :2]
    return float(np.hypot(across[0], across[1]))
