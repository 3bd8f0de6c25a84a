"""Terms of the loss of an avatar maker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from mien_export.families.spade_video.critic import Verdict


@dataclass(frozen=True, slots=True)
class ScganLosses:
    """Weights; 0 switches a term off."""

    adversarial: float = 1.0
    matching: float = 4.0
    """Features of the critic, relative to their size."""
    pixel: float = 5.0
    perceptual: float = 4.0
    """Features of a trunk, relative to their size."""
    divergence: float = 0.003
    """KL of the latent. More makes it say nothing."""
    latent: float = 0.5
    """L1 between a random latent and what the encoder finds in the picture made of it."""
    segments: float = 2.0
    """Cross-entropy of the segmentor on what was made."""
    traits: float = 1.0
    """Squared error of the attributes that the discriminator's classifier reads."""
    colour: float = 2.0
    """Mean colours of the classes."""


def trait_term(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error of attributes (N, 9)."""
    return functional.mse_loss(found.float(), wanted)


def wasserstein_term(truth: Sequence[Verdict], made: Sequence[Verdict]) -> Tensor:
    """E[D(fake)] - E[D(real)], in the mean over scales."""
    pairs = zip(truth, made, strict=True)
    return torch.stack([fake.score.mean() - real.score.mean() for real, fake in pairs]).mean()
