"""Regions of a picture by its parsing map, so that a mouth of one per cent of the pixels counts as much as a cheek."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.face.topology import PARTS

REGIONS: Final = ("inner_mouth", "lips", "eyes", "face", "rest")
SHARES: Final = {"inner_mouth": 1.0, "lips": 0.7, "eyes": 0.9, "face": 0.8, "rest": 0.4}
"""What each region counts in a loss."""
UNCOVERED: Final = 0.6
"""What skin and surroundings that no warp can know count: a strip of them is seen, and would else count as its area."""
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


def weights(parsing: Tensor, valid: Tensor, erased: Tensor | None = None) -> Tensor:
    """(N, 1, H, W): weight of each pixel, so that every region present counts by its share; each sample's sum to 1.

    valid, erased: (N, 1, H, W) in 0..1. What is erased of `face` and `rest` is a region of its own.
    """
    areas = regions(parsing) * valid
    shares = [SHARES[name] for name in REGIONS]
    if erased is not None:
        parts, around = areas[:, :-2], areas[:, -2:]
        areas = torch.cat([parts, around * (1 - erased), (around * erased).sum(1, keepdim=True)], 1)
        shares.append(UNCOVERED)
    count = areas.shape[2] * areas.shape[3]
    total = areas.sum(dim=(2, 3), keepdim=True).clamp(min=LEAST_AREA * count)
    share = areas.new_tensor(shares).view(1, -1, 1, 1)
    weight = (areas * share / total).sum(dim=1, keepdim=True)
    return weight / weight.sum(dim=(2, 3), keepdim=True).clamp(min=1e-6)
