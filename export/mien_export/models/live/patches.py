"""Discriminator of patches, at two scales, that also sees the target's parsing map (Isola et al. 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from mien_export.models.live.sizes import PARTS

WIDTHS = (32, 64, 128)
SLOPE = 0.2


class Patches(nn.Module):
    """One scale: scores (N, 1, h / 8, w / 8) and the features below them, of fields 30 pixels wide."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        inputs = (3 + PARTS, *widths)
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in zip(inputs, widths, strict=False)
        )
        self.score = spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1))

    def forward(self, picture: Tensor, parsing: Tensor) -> tuple[Tensor, list[Tensor]]:
        """picture (N, 3, H, W) in -1..1, parsing (N, 9, H, W) in 0..1."""
        h, features = torch.cat([picture, parsing], 1), []
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
