"""Losses of styles: a painting's statistics, the portrait's content, and the same strokes a moment later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from mien_export.families.style.goals import Statistics, moments
from mien_export.families.style.network import drawn, recoloured

COARSE: Final = 8
"""Pixels along each side of the means that the colours are held to."""


@dataclass(frozen=True, slots=True)
class StyleLosses:
    """Weights of the terms of the loss."""

    style: float = 5.0
    content: float = 1.0
    colour: float = 50.0
    """Means of 8 x 8 pixels against the colour transfer alone: without it dark bars lie across the face."""
    variation: float = 0.25
    temporal: float = 300.0
    """In the parts of a run that have it."""
    face: float = 3.0
    """How much more eyes, brows, nose and lips count in `content`."""


def style_term(maps: tuple[Tensor, ...], styles: Tensor, wanted: Statistics, weights: Tensor) -> Tensor:
    """Squared differences of covariances, and half as much of means, each relative to the painting's own.

    Args:
        maps: of the answers, (N, C, H, W).
        styles: (N,), whose painting each is to be like.
        weights: (K,), how much a style counts.
    """
    total = torch.zeros(len(styles), device=styles.device)
    for features, means, covariances in zip(maps, wanted.means, wanted.covariances, strict=True):
        mean, covariance = moments(features)
        goal, goal_mean = covariances[styles], means[styles]
        total = total + (covariance - goal).square().sum((1, 2)) / goal.square().sum((1, 2))
        total = total + 0.5 * (mean - goal_mean).square().sum(1) / goal_mean.square().sum(1)
    return (total * weights[styles]).mean()


def content_term(found: tuple[Tensor, ...], own: tuple[Tensor, ...], weight: Tensor, face: float) -> Tensor:
    """Differences of the last two maps from the portrait's own, relative to those; the face's parts count more.

    Args:
        weight: (N, 1, S, S) in 0..1.
        face: see `StyleLosses.face`.
    """
    total = torch.zeros((), device=weight.device)
    for share, features, goal in zip((0.15, 1.0), found[-2:], own[-2:], strict=True):
        distance = (features.float() - goal.float()).square().mean(1, keepdim=True)
        closer = 1 + face * functional.interpolate(weight, size=distance.shape[2:], mode="area")
        size = goal.float().square().mean((1, 2, 3)).clamp(min=1e-3)
        total = total + share * ((distance * closer).mean((1, 2, 3)) / size).mean()
    return total


def colour_term(answer: Tensor, picture: Tensor, transfer: Tensor, weight: Tensor) -> Tensor:
    """Squared differences of coarse means from the colour transfer alone, near the face above all.

    Args:
        answer, picture: (N, 3, S, S) in 0..1.
        transfer: (N, 12), from which no gradient comes here.
        weight: (N, 1, S, S) in 0..1.
    """
    with torch.no_grad():
        plain = drawn(recoloured(functional.avg_pool2d(picture, COARSE), transfer), None)
    return _coarse_error(answer, plain, weight)


def colour_error(answer: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """Squared differences of coarse means from those of another picture, near the face above all.

    Args:
        answer, wanted: (N, 3, S, S) in 0..1.
        weight: (N, 1, S, S) in 0..1.
    """
    return _coarse_error(answer, functional.avg_pool2d(wanted, COARSE), weight)


def _coarse_error(answer: Tensor, coarse: Tensor, weight: Tensor) -> Tensor:
    with torch.no_grad():
        near = functional.avg_pool2d(weight, COARSE)
        near = (4 * functional.avg_pool2d(near, 7, 1, 3, count_include_pad=False)).clamp(max=1)
    return ((functional.avg_pool2d(answer, COARSE) - coarse).square() * (0.15 + near)).mean()


def variation_term(answer: Tensor) -> Tensor:
    """Mean absolute difference of neighbours."""
    across, down = answer[..., 1:] - answer[..., :-1], answer[..., 1:, :] - answer[..., :-1, :]
    return across.abs().mean() + down.abs().mean()


def temporal_term(answer: Tensor, later: Tensor, flow: Tensor, confidence: Tensor) -> Tensor:
    """Mean of c (y_later - warped y)^2, the paper's temporal consistency loss; gradients lead to both.

    Motions of all sizes are drawn, so that one term stands for the short term and the long term.

    Args:
        answer, later: (N, 3, S, S).
        flow: (N, S, S, 2) in -1..1, where each pixel of `later` was.
        confidence: (N, 1, S, S), c in 0..1.
    """
    moved = functional.grid_sample(answer, flow, padding_mode="border", align_corners=True)
    return ((later - moved).square() * confidence).mean()
