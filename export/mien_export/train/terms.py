"""Loss terms shared by several families. Every L1 norm is a mean over elements and samples."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import torch
from torch import Tensor

Features = Callable[[Tensor], tuple[Tensor, ...]]
"""A perceptual extractor: pictures (N, 3, S, S) in -1..1 to feature maps."""
Identity = Callable[[Tensor], Tensor]
"""An identity extractor: crops (N, 3, S, S) in -1..1 to vectors (N, D) of length 1."""


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean of |a - b|: eq. 3.9 for (I_AE, I_ref), eq. 3.10 for (I_o, W(I_ref))."""
    return (a.float() - b.float()).abs().mean()


def identity_l1(extractor: Identity, result: Tensor, reference: Tensor) -> Tensor:
    """Eq. 3.11: L1 between embeddings, which are scaled to a mean square of 1; no gradient to the reference."""
    with torch.no_grad():
        goal = extractor(reference)
    return l1(extractor(result), goal) * sqrt(goal.shape[1])


def perceptual_l1(extractor: Features, result: Tensor, guide: Tensor) -> Tensor:
    """Eq. 3.12: the sum over layers of L1 between feature maps; no gradient to the guide."""
    with torch.no_grad():
        goals = extractor(guide)
    terms = [l1(found, goal) for found, goal in zip(extractor(result), goals, strict=True)]
    return torch.stack(terms).sum()
