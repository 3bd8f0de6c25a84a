"""What `parse` finds in a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.turns import turned_points


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
    score: float = 1.0
    """Confidence in 0..1."""
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
