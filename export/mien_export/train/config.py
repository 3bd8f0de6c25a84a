"""What a training run is made of, by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Final

from mien_export.models.live.sizes import SIZES
from mien_export.train.live import LiveLosses

STEADY: Final = 0.6
"""Share of a stage's steps before its learning rate falls."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Part of a run."""

    steps: int
    side: int
    """128 cuts around mouth and eyes, or 256."""
    batch: int
    rate: float
    """Learning rate."""

    def rate_at(self, step: int) -> float:
        """Learning rate at a step of this stage: as it is at first, then falling linearly to a tenth."""
        past = (step / self.steps - STEADY) / (1 - STEADY)
        return self.rate * (1 - 0.9 * min(max(past, 0.0), 1.0))


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """A run for a live network."""

    size: str
    stages: tuple[Stage, ...]
    losses: LiveLosses = field(default_factory=LiveLosses)

    @property
    def steps(self) -> int:
        """Of all stages."""
        return sum(stage.steps for stage in self.stages)

    def shortened(self, steps: int) -> LiveConfig:
        """The same run in so many steps, shared out over the stages as in this one."""
        ends = [total * steps // self.steps for total in accumulate(stage.steps for stage in self.stages)]
        counts = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
        stages = (replace(stage, steps=count) for stage, count in zip(self.stages, counts, strict=True) if count)
        return replace(self, stages=tuple(stages))

    def stage_at(self, step: int) -> tuple[int, int]:
        """(index of the stage, its first step) at a step; the last one's beyond the end."""
        first = 0
        for index, stage in enumerate(self.stages):
            if step < first + stage.steps:
                return index, first
            first += stage.steps
        return len(self.stages) - 1, first - self.stages[-1].steps


def _cpu(size: str) -> LiveConfig:
    return LiveConfig(size, (Stage(20_000, 128, 16, 2e-4), Stage(3_000, 256, 4, 1e-4)))


CONFIGS: Final[dict[str, LiveConfig]] = {
    **{f"oneshot-live-{size}": _cpu(size) for size in SIZES if size != "gpu"},
    "oneshot-live-gpu": LiveConfig("gpu", (Stage(60_000, 128, 64, 2e-4), Stage(20_000, 256, 32, 1e-4))),
}
"""What `--config` names."""
