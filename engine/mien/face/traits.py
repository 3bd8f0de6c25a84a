"""Traits of a portrait that are measured without a human: smile, glasses, beard, length of hair and others.

Each is 0 and 1 at the 5th and the 95th percentile of the portraits that the maker of portraits of nobody was learnt
from, but for glasses, which are there (1) or not (0).
"""

from __future__ import annotations

from typing import Final

TRAITS: Final = ("smile", "open-mouth", "glasses", "beard", "turn", "long-hair", "full-hair", "fringe", "grey-hair")
"""`turn` is 0.5 for a frontal head and more for one whose nose points to the picture's right; `full-hair` is hair above
the forehead."""
INDEX: Final = {name: number for number, name in enumerate(TRAITS)}
RANGES: Final = (
    *((0.645, 1.012), (0.0, 0.112), (0.0, 1.0), (-1.87, 1.48), (-0.079, 0.079)),
    *((0.0, 0.32), (0.275, 1.09), (0.0, 0.03), (-19.8, 0.0)),
)
"""What is 0 and what is 1, in each trait's own unit."""
