"""The terms of eq. 3.9 to 3.15. Every L1 norm is a mean over elements and samples, as is usual for these weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

Features = Callable[[Tensor], tuple[Tensor, ...]]
"""A perceptual extractor: pictures (N, 3, S, S) in -1..1 to feature maps."""
Identity = Callable[[Tensor], Tensor]
"""An identity extractor: crops (N, 3, S, S) in -1..1 to vectors (N, D) of length 1."""
Scores = tuple[tuple[Tensor, ...], ...]
"""What a discriminator of several scales gives: for each its maps, the last of which holds the scores."""

REAL, FAKE = 1.0, 0.0
"""a = c and b of eq. 3.13 and 3.14."""


@dataclass(frozen=True, slots=True)
class PaperLosses:
    """Weights of eq. 3.15; 0 switches a term off, and what only it needs is not computed."""

    appearance: float = 25.0
    """lambda: the auto-encoder's reconstruction, eq. 3.9."""
    reconstruction: float = 25.0
    """alpha_r: the result against the warped reference, eq. 3.10."""
    identity: float = 1.0
    """alpha_i, eq. 3.11."""
    perceptual: float = 1.0
    """alpha_p, eq. 3.12."""
    adversarial: float = 1.0
    """alpha_g, eq. 3.13."""


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean of |a - b|: eq. 3.9 for (I_AE, I_ref), eq. 3.10 for (I_o, W(I_ref))."""
    return (a.float() - b.float()).abs().mean()


def identity(extractor: Identity, result: Tensor, reference: Tensor) -> Tensor:
    """Eq. 3.11: L1 between embeddings, which are scaled to a mean square of 1; no gradient to the reference."""
    with torch.no_grad():
        goal = extractor(reference)
    return l1(extractor(result), goal) * sqrt(goal.shape[1])


def perceptual(extractor: Features, result: Tensor, guide: Tensor) -> Tensor:
    """Eq. 3.12: the sum over layers of L1 between feature maps; no gradient to the guide."""
    with torch.no_grad():
        goals = extractor(guide)
    terms = [l1(found, goal) for found, goal in zip(extractor(result), goals, strict=True)]
    return torch.stack(terms).sum()


def generator_adversarial(fake: Scores) -> Tensor:
    """L_GAN, eq. 3.13: half the squared distance of the result's scores from 1, summed over scales."""
    return torch.stack([_squared(maps[-1], REAL) for maps in fake]).sum() / 2


def discriminator_adversarial(real: Scores, fake: Scores) -> Tensor:
    """L_d, eq. 3.14: the guide's scores against 1 and the result's against 0, halved and summed over scales."""
    terms = [_squared(a[-1], REAL) + _squared(b[-1], FAKE) for a, b in zip(real, fake, strict=True)]
    return torch.stack(terms).sum() / 2


def _squared(scores: Tensor, goal: float) -> Tensor:
    return (scores.float() - goal).square().mean()
