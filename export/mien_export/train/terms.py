"""The terms of the live generator's loss. Each is a mean over samples of a sum weighted by region."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mien_export.train.paper.losses import Features

Scores = list[tuple[Tensor, list[Tensor]]]


def weighted_l1(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """Mean over channels of |a - b|, weighted; pictures (N, C, H, W), weight (N, 1, H, W) summing to 1 per sample."""
    return ((a - b).abs().mean(dim=1, keepdim=True) * weight).sum(dim=(1, 2, 3)).mean()


def gradient_l1(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """The same on differences of neighbours: edges of teeth, lids and lashes."""
    d = a - b
    across = weighted_l1(d[..., 1:], d[..., :-1], weight[..., 1:])
    return across + weighted_l1(d[..., 1:, :], d[..., :-1, :], weight[..., 1:, :])


def mask_target(warped: Tensor, generated: Tensor, truth: Tensor, erased: Tensor) -> Tensor:
    """(N, 1, H, W): 1 where the warped portrait is as near to the truth as the painted one or near enough.

    Errors are means over 5 x 5 pixels without the erased ones, of which none is kept: what lies beside an erased
    mouth is judged by itself.
    """
    there = 1 - erased
    share = F.avg_pool2d(there, 5, 1, 2).clamp(min=1e-3)
    warp_error = F.avg_pool2d((warped - truth).abs().mean(1, keepdim=True) * there, 5, 1, 2) / share
    paint_error = F.avg_pool2d((generated - truth).abs().mean(1, keepdim=True) * there, 5, 1, 2) / share
    keep = (warp_error < (0.9 * paint_error).clamp(min=GOOD)).to(warped.dtype)
    return keep * there


GOOD = 0.05
"""Mean absolute error, in units of -1..1, up to which warped skin is kept whatever was painted."""


def mask_term(mask: Tensor, goal: Tensor, weight: Tensor) -> Tensor:
    """Binary cross-entropy of the mask, weighted."""
    mask = mask.clamp(1e-4, 1 - 1e-4)
    entropy = -(goal * mask.log() + (1 - goal) * (1 - mask).log())
    return (entropy * weight).sum(dim=(1, 2, 3)).mean()


def patch_weights(weight: Tensor, scores: Tensor) -> Tensor:
    """Pixel weights summed over the patches of `scores` (N, 1, h, w); each sample's sum to 1."""
    pooled = F.adaptive_avg_pool2d(weight, (scores.shape[2], scores.shape[3]))
    return pooled / pooled.sum(dim=(2, 3), keepdim=True).clamp(min=1e-9)


def adversarial(scores: Scores, goal: float, weight: Tensor) -> Tensor:
    """Least squares against `goal` (LSGAN, eq. 3.13 and 3.14), patches weighted by region, mean over scales."""
    losses = [
        ((score.float() - goal).square() * patch_weights(weight, score)).sum(dim=(1, 2, 3)).mean()
        for score, _ in scores
    ]
    return torch.stack(losses).mean()


def feature_matching(fake: Scores, real: Scores, weight: Tensor) -> Tensor:
    """L1 between the discriminator's features of both pictures (Wang et al. 2018), weighted by region."""
    losses = [
        ((f - r.detach()).abs().mean(1, keepdim=True).float() * patch_weights(weight, f)).sum((1, 2, 3)).mean()
        for (_, fakes), (_, reals) in zip(fake, real, strict=True)
        for f, r in zip(fakes, reals, strict=True)
    ]
    return torch.stack(losses).mean()


def perceptual(extractor: Features, shown: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Eq. 3.12: the sum over layers of L1 between feature maps, weighted by region; no gradient to the truth."""
    with torch.no_grad():
        goals = extractor(truth)
    terms = [
        ((found.float() - goal.float()).abs().mean(1, keepdim=True) * patch_weights(weight, found)).sum((1, 2, 3))
        for found, goal in zip(extractor(shown), goals, strict=True)
    ]
    return torch.stack(terms).sum(0).mean()
