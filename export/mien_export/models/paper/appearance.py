"""The appearance auto-encoder F: what the portrait looks like, as a latent and as feature maps at four scales."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien_export.models.paper.blocks import LEAK, down, normal, up
from mien_export.models.paper.sizes import SCALES, PaperSize


class Appearance(NamedTuple):
    """What F makes of a portrait (N, 3, S, S)."""

    latent: Tensor
    """(N, C, 1, 1)."""
    features: tuple[Tensor, ...]
    """Of F's decoder: (N, C, R, R), R = S / 16, S / 8, S / 4, S / 2."""
    reconstruction: Tensor
    """(N, 3, S, S) in -1..1: I_AE of eq. 3.9."""


class AppearanceAutoencoder(nn.Module):
    """log2(S) down blocks [conv 4x4, InstanceNorm, leaky ReLU] to 1x1 and as many up blocks [deconv 4x4, InstanceNorm,
    ReLU], the last of which gives the picture by tanh instead (thesis, 3.2.2 and fig. 3.5).

    The kinds of layer that the text leaves open are pix2pix's, among them that the first block has no norm.
    """

    def __init__(self, size: PaperSize) -> None:
        super().__init__()
        self.size = size
        widths = (3, *size.encoder)
        self.down = nn.ModuleList(down(a, b) for a, b in pairwise(widths))
        self.down_norms = nn.ModuleList(
            normal(width, size.side >> (i + 1)) if i else nn.Identity() for i, width in enumerate(size.encoder)
        )
        widths = (*size.decoder, 3)
        self.up = nn.ModuleList(up(a, b) for a, b in pairwise(widths))
        self.up_norms = nn.ModuleList(normal(width, 2 << i) for i, width in enumerate(size.decoder[1:]))

    def encode(self, picture: Tensor) -> Tensor:
        """The latent (N, C, 1, 1) of a picture (N, 3, S, S) in -1..1."""
        h = picture
        for layer, norm in zip(self.down, self.down_norms, strict=True):
            h = F.leaky_relu(norm(layer(h)), LEAK)
        return h

    def decode(self, latent: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """The feature maps at four scales and the reconstruction (N, 3, S, S) in -1..1."""
        maps = [latent]
        for layer, norm in zip(self.up, self.up_norms, strict=False):
            maps.append(F.relu(norm(layer(maps[-1]))))
        return tuple(maps[-SCALES:]), torch.tanh(self.up[-1](maps[-1]))

    def forward(self, picture: Tensor) -> Appearance:
        """picture: (N, 3, S, S) in -1..1."""
        latent = self.encode(picture)
        return Appearance(latent, *self.decode(latent))
