"""The discriminator: a PatchGAN of three strided convolutions that sees the target's landmarks, too."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from mien_export.families.landmark_unet.network import POINTS, SLOPE

WIDTH: Final = 32
"""Channels of each of the three."""


class Critic(nn.Module):
    """Whether patches look photographed and have the face where the landmarks are; the mean over patches."""

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
