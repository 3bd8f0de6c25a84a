"""Losses of the live networks: patch discriminator, region masks, loss terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from mien.face.topology import PARTS
from mien_export.train.terms import Features

WIDTHS = (32, 64, 128)
SLOPE = 0.2
DETAIL: Final = 4.0
"""Gain of the fine detail that the discriminator is shown beside the picture: a spectral norm bounds how strongly it
answers, and the difference between a sharp and a soft picture is small."""


class Patches(nn.Module):
    """One scale: scores (N, 1, h / 8, w / 8) and the features below them, of fields 30 pixels wide."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        inputs = (2 * 3 + len(PARTS), *widths)
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in zip(inputs, widths, strict=False)
        )
        self.score = spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1))

    def forward(self, picture: Tensor, parsing: Tensor) -> tuple[Tensor, list[Tensor]]:
        """picture (N, 3, H, W) in -1..1, parsing (N, 9, H, W) in 0..1."""
        detail = DETAIL * (picture - F.avg_pool2d(picture, 3, 1, 1, count_include_pad=False))
        h, features = torch.cat([picture, detail, parsing], 1), []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), SLOPE)
            features.append(h)
        return self.score(h), features


class TwoScales(nn.Module):
    """`Patches` on the picture and on its half."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.scales = nn.ModuleList((Patches(widths), Patches(widths)))

    def forward(self, picture: Tensor, parsing: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        """(scores, features) of each scale, fine to coarse."""
        out = []
        for scale in self.scales:
            out.append(scale(picture, parsing))
            picture, parsing = F.avg_pool2d(picture, 2), F.avg_pool2d(parsing, 2)
        return out


REGIONS: Final = ("inner_mouth", "lips", "eyes", "face", "rest")
SHARES: Final = {"inner_mouth": 1.0, "lips": 0.7, "eyes": 0.9, "face": 0.8, "rest": 0.4}
"""What each region counts in a loss."""
UNCOVERED: Final = 0.6
"""What skin and surroundings that no warp can know count: a strip of them is seen, and would else count as its area."""
JUDGED: Final = {"inner_mouth": 1.0, "lips": 0.8, "eyes": 0.8, "face": 0.25, "rest": 0.05}
"""What each region counts for the critic: most of a face is kept from the warp, and tells it nothing."""
LEAST_AREA: Final = 0.004
"""Share of the picture below which a region counts by its area: a slit of a mouth must not rule."""
GROW: Final = 5
"""Pixels: width of the square by whose maximum the eyes' region takes its lids and lashes in."""


def regions(parsing: Tensor) -> Tensor:
    """(N, 5, H, W) shares of `REGIONS` that sum to 1, from a parsing map (N, 9, H, W) in 0..1."""
    part = {name: parsing[:, i : i + 1] for i, name in enumerate(PARTS)}
    mouth = part["teeth"]
    lips = (part["upper_lip"] + part["lower_lip"]).clamp(max=1) * (1 - mouth)
    left = 1 - mouth - lips
    eyes = torch.minimum(F.max_pool2d(part["eyes"], GROW, 1, GROW // 2), left)
    left = left - eyes
    face = torch.minimum(part["face"], left)
    return torch.cat([mouth, lips, eyes, face, left - face], 1)


def weights(
    parsing: Tensor, valid: Tensor, erased: Tensor | None = None, counts: Mapping[str, float] = SHARES
) -> Tensor:
    """(N, 1, H, W): weight of each pixel, so that every region present counts by its share; each sample's sum to 1.

    valid, erased: (N, 1, H, W) in 0..1. What is erased of `face` and `rest` is a region of its own. counts: by name of
    the region.
    """
    areas = regions(parsing) * valid
    shares = [counts[name] for name in REGIONS]
    if erased is not None:
        parts, around = areas[:, :-2], areas[:, -2:]
        areas = torch.cat([parts, around * (1 - erased), (around * erased).sum(1, keepdim=True)], 1)
        shares.append(UNCOVERED)
    count = areas.shape[2] * areas.shape[3]
    total = areas.sum(dim=(2, 3), keepdim=True).clamp(min=LEAST_AREA * count)
    share = areas.new_tensor(shares).view(1, -1, 1, 1)
    weight = (areas * share / total).sum(dim=1, keepdim=True)
    return weight / weight.sum(dim=(2, 3), keepdim=True).clamp(min=1e-6)


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
