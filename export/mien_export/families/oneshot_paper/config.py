"""Training configurations of the thesis's networks: full, narrow, and those of the ablation (table 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from mien_export.families.oneshot_paper.losses import PaperLosses
from mien_export.families.oneshot_paper.networks import SIZES, PaperSize
from mien_export.train.course import Part

PICTURES: Final = 28_000
"""Of the thesis's training set: its epochs become steps by it."""


@dataclass(frozen=True, slots=True)
class PaperStage(Part):
    """Part of a run."""

    rate: float
    """Learning rate of F and D; the discriminators' is half of it."""
    background: bool
    """Whether the pictures are shown whole, or only their faces."""

    def rate_at(self, step: int) -> float:
        """The same throughout."""
        return self.rate


@dataclass(frozen=True, slots=True)
class PaperConfig:
    """A run for a network of the thesis."""

    size: str
    stages: tuple[PaperStage, ...]
    losses: PaperLosses = field(default_factory=PaperLosses)
    concatenate: bool = True
    """Whether D gets F's feature maps."""
    extractor_share: float = 1.0
    """Channels of the perceptual extractor, as a share of VGG-16's, where its weights are random."""

    @property
    def network(self) -> PaperSize:
        """The size by its name."""
        return SIZES[self.size]


def _epochs(count: int, batch: int) -> int:
    return count * PICTURES // batch


_THESIS: Final = PaperConfig(
    "paper",
    (
        PaperStage(_epochs(45, 16), 16, 1e-4, background=False),
        PaperStage(_epochs(2, 16), 16, 2e-5, background=True),
    ),
)
"""Section 4.1.3."""
_NARROW: Final = PaperConfig("paper-64", (PaperStage(20_000, 16, 1e-4, background=False),), extractor_share=0.25)
ABLATION: Final[dict[str, PaperConfig]] = {
    "paper-64-no-concat": replace(_NARROW, concatenate=False),
    **{
        f"paper-64-lambda-{weight}": replace(_NARROW, losses=PaperLosses(appearance=float(weight)))
        for weight in (3, 10, 25, 50)
    },
}
"""The columns of table 4.2, in their order."""
CONFIGS: Final[dict[str, PaperConfig]] = {"oneshot-paper": _THESIS, "paper-64": _NARROW, **ABLATION}
"""What `--config` names."""
