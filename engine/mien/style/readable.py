"""Strokes that leave a face readable: inside of its outline they weigh less, so that its own lines are seen."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.topology import OVAL
from mien.plane import Affine

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

SHARE: Final = 0.4
"""Of the strokes in a face. At 1 dark bars lie across noses and eyes, and a landmarker misses painted faces."""
SOFT: Final = 0.06
"""Standard deviation of the outline's soft edge as a share of the face's width."""
_BITS: Final = 4
"""Of fractions of a cell in the polygon."""


def face_outline(landmarks: Array) -> Array:
    """(N, 2): the face's outline of landmarks (478, 3), in their pixels."""
    return np.asarray(landmarks[list(OVAL), :2])


def weaken(strokes: Floats, outline: Array, into: Affine) -> None:
    """Scale strokes (h, w, 3) in place: by `SHARE` in the face.

    Args:
        outline: (N, 2) in pixels of the picture.
        into: from these to cells of strokes.
    """
    height, width = strokes.shape[:2]
    points = outline @ into[:, :2].T + into[:, 2]
    face = np.zeros((height, width), np.float32)
    corners = np.rint(points * 2**_BITS).astype(np.int32)
    cv2.fillPoly(face, [corners], 1.0, cv2.LINE_8, _BITS)
    soft = max(SOFT * float(np.ptp(points[:, 0])), 0.5)
    weight = cv2.GaussianBlur(face, (0, 0), soft, borderType=cv2.BORDER_REPLICATE)
    weight *= np.float32(SHARE - 1)
    weight += 1
    strokes *= weight[..., None]
