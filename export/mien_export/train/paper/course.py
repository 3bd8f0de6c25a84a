"""All that a run of the thesis's training needs, for the loop: its step, its samples, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from mien_export.data.faces import Faces
from mien_export.data.paper_pairs import PaperPairs, PaperSampling
from mien_export.train.extractors.embedding import open_embedding
from mien_export.train.extractors.onnx_identity import OnnxIdentity
from mien_export.train.extractors.vgg import open_vgg16, random_vgg16
from mien_export.train.paper.config import PaperConfig
from mien_export.train.paper.losses import Features, Identity
from mien_export.train.paper.step import Extractors, PaperStep, collated

Sample = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class PaperCourse:
    """A configuration with the extractors that a user has."""

    config: PaperConfig
    vgg: Path | None = None
    """torchvision's weight file of VGG-16; None: random weights."""
    identity: Path | None = None
    """An ONNX face embedding, or weights of our own (.npz); None: the packaged embedding."""

    def step(self, device: torch.device) -> PaperStep:
        """Networks as the random state has it, discriminators and optimisers.

        Raises:
            SettingError: an extractor's file is missing or broken.
        """
        losses = self.config.losses
        features = self._features(device) if losses.perceptual else None
        identity = self._identity(device) if losses.identity else None
        return PaperStep(self.config, device, Extractors(features, identity))

    def samples(self, faces: Faces, seed: int, stage: int) -> Callable[[int], Sample]:
        """Samples by number for a stage."""
        shown = self.config.stages[stage].background
        sampling = PaperSampling(seed * 1000 + stage, self.config.network.side, shown)
        return PaperPairs(faces, sampling).sample

    @staticmethod
    def collate(samples: list[Sample]) -> dict[str, Tensor]:
        """Samples stacked."""
        return collated(samples)

    def said(self) -> str:
        """For a bundle's manifest: the terms with their weights, and what they look through."""
        losses = self.config.losses
        sees = {
            "perceptual": f"VGG-16 from {self.vgg.name}" if self.vgg else "VGG-16 with random weights",
            "identity": f"embedding from {self.identity.name}" if self.identity else "own small embedding",
        }
        terms = []
        for name in (field.name for field in fields(losses)):
            if weight := getattr(losses, name):
                terms.append(f"{name} {weight:g}" + (f" ({sees[name]})" if name in sees else ""))
        return ", ".join(terms) + ("" if self.config.concatenate else "; without concatenation")

    def _features(self, device: torch.device) -> Features:
        if self.vgg is not None:
            return open_vgg16(self.vgg).to(device)
        return random_vgg16(share=self.config.extractor_share).to(device)

    def _identity(self, device: torch.device) -> Identity:
        if self.identity is not None and self.identity.suffix == ".onnx":
            return OnnxIdentity(self.identity).to(device)
        return open_embedding(self.identity).to(device)
