"""Action units: what a face does in FACS's terms, from the strengths of ARKit-like shapes."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien_bench.quality.basis import basis68

Array = NDArray[np.float64]

UNITS: Final = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
"""Those that the thesis compares."""
SHAPES: Final[dict[int, tuple[tuple[str, float], ...]]] = {
    1: (("browInnerUp", 1.0),),
    2: (("browOuterUp", 1.0),),
    4: (("browDown", 1.0),),
    5: (("eyeWide", 1.0),),
    6: (("cheekRaiser", 0.5), ("cheekSquint", 0.5), ("eyeSquint", 0.5)),
    9: (("noseSneer", 1.0),),
    12: (("mouthSmile", 1.0),),
    15: (("mouthFrown", 1.0),),
    17: (("mouthShrugLower", 1.0),),
    20: (("mouthStretch", 1.0),),
    25: (("jawOpen", 1.0), ("mouthClose", -1.0), ("mouthLowerDown", 0.5), ("mouthUpperUp", 0.5)),
    26: (("jawOpen", 1.0),),
}
"""Shapes that make each unit, left and right averaged, and how much each counts."""


def action_units(expression: Array) -> Array:
    """(12,): intensities of `UNITS`, 0 is none, about 1 the strongest, for strengths (E,) of the basis's shapes.

    Of a difference of strengths, the change of intensities: FACS counts from the person's own face at rest.
    """
    return np.asarray(_unit_matrix() @ expression)


def consistency(one: Array, other: Array) -> float:
    """Correlation of two faces' intensities (12,) over the units; 0 where one of them does nothing at all."""
    if one.std() < 1e-6 or other.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


@lru_cache(maxsize=1)
def _unit_matrix() -> Array:
    """(12, E)."""
    names = basis68().names
    out = np.zeros((len(UNITS), len(names)))
    for row, unit in zip(out, UNITS, strict=True):
        for shape, share in SHAPES[unit]:
            members = [i for i, name in enumerate(names) if name.removesuffix("_L").removesuffix("_R") == shape]
            row[members] = share / len(members)
    return out
