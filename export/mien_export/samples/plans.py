"""The three portraits that come with the package.

The seeds of `invention` were found by `likeness`: the faces that they give are far from everybody in the album.
"""

from __future__ import annotations

from typing import Final

from mien_export.samples.attire import Attire
from mien_export.samples.inventing import Invention
from mien_export.samples.portrait import Plan
from mien_export.samples.strands import Hair

SHORT: Final = (Hair(3500, 7, 0.35, 0.5, 0.25, 0.25, 1), Hair(700, 4, 0.6, 0.9, 0.25, 0.4, 2))
LONG: Final = (Hair(7000, 60, 0.0, 0.5, 0.30, 0.28, 1), Hair(160, 46, 0.08, 1.5, 0.25, 0.40, 2))

PLANS: Final = {
    "aldo": Plan(
        Attire((0.36, 0.40, 0.46), (0.17, 0.20, 0.26), 0.0, 8),
        Invention(61, 1.4, 0.3, 2.0), False, 1.0, (0.0, 1.5), (0.0, 0.0, 0.0), 1.6, SHORT,
    ),
    "mira": Plan(
        Attire((0.66, 0.63, 0.60), (0.22, 0.30, 0.36), 0.12, 3),
        Invention(92, 1.4, 0.7, -2.5), True, 0.80, (0.0, 5.5), (-3.0, -1.0, 3.0), 0.9, LONG,
    ),
    "teo": Plan(
        Attire((0.42, 0.50, 0.50), (0.50, 0.47, 0.42), 0.0, 5),
        Invention(36, 1.0, 0.5, 2.0), False, 1.03, (1.5, 4.5), (0.0, -4.0, 1.0), 1.1, SHORT,
    ),
}  # fmt: skip
