"""The discriminator and the six terms of the loss, weighed as the paper weighs them.

The paper is "Face Image Synthesis conditioned on Target Landmark Appearance" (Kassapis, Verdenius, Ondrag).
What the text leaves open is settled so: the squared distances of pictures are means of squares, in -1..1. Distances of
features are means of absolute values, of features whose mean is about 1, and the term sums them over the layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien_export.families.landmark_unet.network import POINTS, SLOPE

WIDTH: Final = 32
"""Channels of each of the discriminator's three convolutions."""
STYLE_LAYER: Final = 2
"""Which feature map the Gram matrices are of: the third block's."""
IDENTITY_LAYER: Final = 1
"""Which one the identity term compares: the second block's."""


@dataclass(frozen=True, slots=True)
class UnetLosses:
    """Weights."""

    adversarial: float = 1.0
    pixel: float = 10.0
    """The result and the target's picture."""
    itself: float = 100.0
    """Self-consistency: the result, brought back to the source's landmarks, and the source."""
    triple: float = 100.0
    """Triple consistency: the way to the target over landmarks between, and the direct way."""
    perceptual: float = 10.0
    """Features, and the Gram matrices of one layer's."""
    identity: float = 1.0
    """Features of one layer."""

    @property
    def needs_features(self) -> bool:
        """Whether a term looks through a trunk."""
        return bool(self.perceptual or self.identity)


def squares(a: Tensor, b: Tensor) -> Tensor:
    """Mean of squared differences of pictures."""
    return (a - b).square().mean()


def perceptual_term(made: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """L1 of features, summed over layers, and the Frobenius norm between Gram matrices, in the mean over pictures."""
    pairs = zip(made, truth, strict=True)
    features = torch.stack([(own - goal).abs().mean() for own, goal in pairs]).sum()
    style = torch.linalg.matrix_norm(gram(made[STYLE_LAYER]) - gram(truth[STYLE_LAYER])).mean()
    total: Tensor = features + style
    return total


def identity_term(made: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """L1 of one layer's features."""
    return (made[IDENTITY_LAYER] - truth[IDENTITY_LAYER]).abs().mean()


def gram(features: Tensor) -> Tensor:
    """(N, C, C): products of the channels of features (N, C, H, W), in the mean over places and per channel."""
    flat = features.float().flatten(2)
    return torch.matmul(flat, flat.transpose(1, 2)) / flat[0].numel()


def critic_term(real: Tensor, made: Tensor) -> Tensor:
    """Binary cross-entropy of logits (N,): pictures are real, results are not."""
    return _entropy(real, 1.0) + _entropy(made, 0.0)


def adversarial_term(made: Tensor) -> Tensor:
    """What the generator wants the critic to say of results: logits (N,)."""
    return _entropy(made, 1.0)


def _entropy(logits: Tensor, wanted: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))


class Critic(nn.Module):
    """PatchGAN: whether patches look photographed and have the face where the landmarks are; their mean."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs in (3 + POINTS, WIDTH, WIDTH):
            layers += [nn.Conv2d(inputs, WIDTH, 4, 2, 1), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(WIDTH, 1, 3, 1, 1))

    def forward(self, picture: Tensor, landmarks: Tensor) -> Tensor:
        """(N,): logits, above 0 for photographed, of pictures (N, 3, S, S) and heat maps (N, 68, S, S)."""
        scores: Tensor = self.layers(torch.cat([picture, landmarks], 1))
        return scores.flatten(1).mean(1)
