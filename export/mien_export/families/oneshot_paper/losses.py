"""Losses of the thesis's networks: three PatchGANs, and the terms of eq. 3.9 to 3.15."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien_export.families.oneshot_paper.networks import LEAK, PaperSize, down

DISCRIMINATORS = 3


class PatchDiscriminator(nn.Module):
    """Convs 4x4 of stride 2 (the last of stride 1), InstanceNorm but for the first, leaky ReLU, then a score per patch.

    No sigmoid: the scores are regressed on 1 and 0 (LSGAN).
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        pairs = list(zip((3, *widths), widths, strict=False))
        self.layers = nn.ModuleList(
            down(a, b, stride=1 if i == len(pairs) - 1 else 2) for i, (a, b) in enumerate(pairs)
        )
        self.norms = nn.ModuleList(nn.InstanceNorm2d(b) if i else nn.Identity() for i, (_, b) in enumerate(pairs))
        self.score = down(widths[-1], 1, stride=1)

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """The maps after each layer of a picture (N, 3, S, S) in -1..1; the last, (N, 1, h, w), holds the scores."""
        maps = [picture]
        for layer, norm in zip(self.layers, self.norms, strict=True):
            maps.append(F.leaky_relu(norm(layer(maps[-1])), LEAK))
        return (*maps[1:], self.score(maps[-1]))


class MultiScaleDiscriminator(nn.Module):
    """d_1, d_2, d_3 of eq. 3.13 and 3.14; each coarser one sees the picture averaged over 2x2."""

    def __init__(self, size: PaperSize) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(size.discriminator) for _ in range(DISCRIMINATORS))

    def forward(self, picture: Tensor) -> tuple[tuple[Tensor, ...], ...]:
        """For each scale the maps of `PatchDiscriminator`; picture: (N, 3, S, S) in -1..1."""
        out = []
        for i, scale in enumerate(self.scales):
            out.append(scale(F.avg_pool2d(picture, 1 << i) if i else picture))
        return tuple(out)


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


def generator_adversarial(fake: Scores) -> Tensor:
    """L_GAN, eq. 3.13: half the squared distance of the result's scores from 1, summed over scales."""
    return torch.stack([_squared(maps[-1], REAL) for maps in fake]).sum() / 2


def discriminator_adversarial(real: Scores, fake: Scores) -> Tensor:
    """L_d, eq. 3.14: the guide's scores against 1 and the result's against 0, halved and summed over scales."""
    terms = [_squared(a[-1], REAL) + _squared(b[-1], FAKE) for a, b in zip(real, fake, strict=True)]
    return torch.stack(terms).sum() / 2


def _squared(scores: Tensor, goal: float) -> Tensor:
    return (scores.float() - goal).square().mean()
