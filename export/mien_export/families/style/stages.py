"""Parts of a run that trains a network of styles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mien_export.train.course import Part

WARM_UP: Final = 20
"""Steps in which the learning rate rises."""


@dataclass(frozen=True, slots=True)
class StylePart(Part):
    """Part of a run, with a rate that falls to a twentieth over the part where it `falls`."""

    side: int = 160
    """Of the windows that are learnt from, in pixels."""
    full: int = 208
    """Side to which whole portraits are brought, and the shorter side of paintings."""
    rate: float = 2e-3
    temporal: bool = False
    """Whether the strokes of a moment later are compared."""
    falls: bool = False

    def rate_at(self, step: int) -> float:
        """Learning rate at a step of this part."""
        falling = step / max(self.steps, 1) if self.falls else 0.0
        return self.rate * min((step + 1) / WARM_UP, 1.0) * max(1 - falling, 0.05)
