"""The square view of head and shoulders in which portraits of nobody are made."""

from __future__ import annotations

from typing import Final

from mien.face.crop import SIDE, framed
from mien.face.pose import Similarity
from mien.plane import Affine

UNIT: Final = 82.0
PLACE: Final = (128.0, 143.0)
"""As `mien.face.crop` has them. The head lies lower than in its crop: no jaw drops here, and hair is seen to its
end."""


def view_matrix(pose: Similarity, side: int = SIDE) -> Affine:
    """From pixels of a picture to pixels of a view of this side, for a head with this pose."""
    return framed(pose, side, UNIT, PLACE)
