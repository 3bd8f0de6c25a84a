"""Set-up of a training run of the thesis's networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from mien_export.data.faces import Faces
from mien_export.families.oneshot_paper.config import PaperConfig, PaperStage
from mien_export.families.oneshot_paper.networks import KIND
from mien_export.families.oneshot_paper.pairs import PaperPairs, PaperSampling
from mien_export.families.oneshot_paper.step import Extractors, PaperStep, collated
from mien_export.train.course import part_at
from mien_export.train.extractors.given import Given, terms_said

Sample = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class PaperCourse:
    """A configuration with the extractors that a user has."""

    config: PaperConfig
    given: Given = field(default_factory=Given)

    @property
    def parts(self) -> tuple[PaperStage, ...]:
        """One after the other."""
        return self.config.stages

    @property
    def marks(self) -> dict[str, Any]:
        """Runs of the ablation differ in their losses alone, so these count."""
        return {
            "kind": KIND,
            "size": self.config.size,
            "concatenate": self.config.concatenate,
            "losses": asdict(self.config.losses),
        }

    def facts(self, done: int) -> dict[str, Any]:
        """Whether the pictures were shown whole at last."""
        part, _ = part_at(self.parts, max(done - 1, 0))
        return {"background": self.parts[part].background}

    def said(self) -> str:
        """For a bundle's manifest: the terms with their weights, and what they look through."""
        terms = terms_said(asdict(self.config.losses), self.given)
        return terms + ("" if self.config.concatenate else "; without concatenation")

    def step(self, device: torch.device) -> PaperStep:
        """Networks as the random state has it, discriminators and optimisers.

        Raises:
            SettingError: an extractor's file is missing or broken.
        """
        losses = self.config.losses
        features = self.given.features(device, self.config.extractor_share) if losses.perceptual else None
        identity = self.given.embedding(device) if losses.identity else None
        return PaperStep(self.config, device, Extractors(features, identity))

    def samples(self, faces: Faces, seed: int, part: int) -> Callable[[int], Sample]:
        """Samples by number for a part."""
        shown = self.parts[part].background
        sampling = PaperSampling(seed * 1000 + part, self.config.network.side, shown)
        return PaperPairs(faces, sampling).sample

    @property
    def collate(self) -> Callable[[list[Sample]], dict[str, Tensor]]:
        """Samples stacked."""
        return collated
