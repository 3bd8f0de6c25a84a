"""The shapes of 68 points: what faces have of their own, and what they do.

`basis68.npz` is derived from the light ICT face model (`python -m mien_bench.quality.derive`); its licence stands in
`basis68.txt` beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Constant data; the arrays are read-only. x to the picture's right, y down, z away from the viewer; the unit is
    the distance of the outer eye corners."""

    neutral: Array
    """(68, 3)."""
    identity: Array
    """(50, 68, 3): offsets for one standard deviation of each."""
    expression: Array
    """(E, 68, 3): offsets for the full strength of each."""
    names: tuple[str, ...]
    """(E,): of the expressions, ARKit's with `_L` and `_R` for the face's own left and right."""


@lru_cache(maxsize=1)
def basis68() -> Basis:
    """The packaged basis."""
    with resources.files("mien_bench.quality").joinpath("basis68.npz").open("rb") as file, np.load(file) as data:
        neutral, identity, expression = (
            data[name].astype(np.float64) for name in ("neutral", "identity", "expression")
        )
        names = tuple(str(name) for name in data["names"])
    for array in (neutral, identity, expression):
        array.flags.writeable = False
    return Basis(neutral, identity, expression, names)
