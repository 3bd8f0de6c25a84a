"""What a training run is made of, by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mien_export.models.live.sizes import SIZES
from mien_export.train.live import LiveLosses
from mien_export.train.schedule import Part

STEADY: Final = 0.6
"""Share of a stage's steps before its learning rate falls."""


@dataclass(frozen=True, slots=True)
class Stage(Part):
    """Part of a run."""

    side: int
    """128 cuts around mouth and eyes, or 256."""
    rate: float
    """Learning rate."""

    def rate_at(self, step: int) -> float:
        """As it is at first, then falling linearly to a tenth."""
        past = (step / self.steps - STEADY) / (1 - STEADY)
        return self.rate * (1 - 0.9 * min(max(past, 0.0), 1.0))


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """A run for a live network."""

    size: str
    stages: tuple[Stage, ...]
    losses: LiveLosses = field(default_factory=LiveLosses)


def _cpu(size: str) -> LiveConfig:
    return LiveConfig(size, (Stage(20_000, 16, side=128, rate=2e-4), Stage(3_000, 4, side=256, rate=1e-4)))


CONFIGS: Final[dict[str, LiveConfig]] = {
    **{f"oneshot-live-{size}": _cpu(size) for size in SIZES if size != "gpu"},
    "oneshot-live-gpu": LiveConfig(
        "gpu", (Stage(60_000, 64, side=128, rate=2e-4), Stage(20_000, 32, side=256, rate=1e-4))
    ),
}
"""What `--config` names."""
