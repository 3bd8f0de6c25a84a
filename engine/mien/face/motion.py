"""The driver's motion, independent of the driver's identity: output of `motion`, input of `reenact`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.face.face import MouthHint
from mien.face.pose import Angles

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """One frame's motion relative to the driver's neutral. The identity motion leaves the portrait as it is."""

    turn: Angles
    """The head's turn from neutral, to be added to the portrait's own angles: yaw and pitch are about the head's own
    axes, roll is in the plane of the picture."""
    translation: Array
    """(2,): the head's way in the picture, in eye distances."""
    scale: float
    """The head's size in the picture relative to neutral."""
    expression: Array
    """(478, 3): offsets of the un-posed face from neutral, of the canonical face's size
    (divided by `mien.face.measures.landmark_sizes` of the driver)."""
    lids: Array
    """(2,): opening of the left and right eye relative to neutral: 0 closed, 1 neutral."""
    gaze: Array
    """(2, 2): way of the left and right iris from neutral, in eye widths, along and across the eye."""
    lips: Array
    """(9,): gaps between the inner lips from left to right, in heights of the lower face; 0 is closed."""
    hint: MouthHint | None = None
    shot: int = 0
    """Number of the driver's shot: nothing is blended with what was made in another one."""
    landmarks: Array | None = None
    """Absolute mode only, (478, 3): the target itself as fractions of the driver's frame (x and z of its width, y of
    its height); then the fields above are ignored."""


def identity_motion() -> Motion:
    """The motion that changes nothing but an open mouth, which it closes."""
    return Motion(
        turn=Angles(0.0, 0.0, 0.0),
        translation=np.zeros(2),
        scale=1.0,
        expression=np.zeros((478, 3)),
        lids=np.ones(2),
        gaze=np.zeros((2, 2)),
        lips=np.zeros(9),
    )
