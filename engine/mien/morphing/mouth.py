"""What is seen between the lips of a morph: mostly of the end whose lips stand farther apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.draw.outlines import outline_mask
from mien.face import topology
from mien.face.contacts import LOWER_LIP_RIM, UPPER_LIP_RIM
from mien.plane import Box

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

CLOSED = 0.01
"""Gap between the lips, in eye distances, up to which they count as closed."""
INNER = list(topology.INNER_LIPS)


def mouth_share(share: Floats, landmarks: Array, shapes: tuple[Array, Array], degree: float) -> None:
    """Change the first end's share of the colours (h, w) between the lips, in place.

    Args:
        share: in 0..1.
        landmarks: (478, 2) of the common shape, in pixels of the same picture.
        shapes: (478, 3) each: of both ends, un-posed.
        degree: between them.
    """
    gaps = [float((shape[LOWER_LIP_RIM, 1] - shape[UPPER_LIP_RIM, 1]).mean()) for shape in shapes]
    first, second = (max(gap - CLOSED, 0.0) for gap in gaps)
    weight = (1 - degree) * first + degree * second
    if weight <= 0:
        return
    box = Box.around(landmarks[INNER], 1, share.shape[1], share.shape[0])
    if box is None:
        return
    mask = outline_mask(landmarks[INNER] - box.corner, box.shape)
    share[box.area] += mask * (np.float32((1 - degree) * first / weight) - share[box.area])
