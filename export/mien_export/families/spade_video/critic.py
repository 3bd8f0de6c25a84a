"""The critic: three scales of picture and label map, the finest on a window, with spectral normalisation.

The pyramid is that of pix2pixHD (Wang et al., 2018): the whole at a half and at a quarter of the size; at full size a
window, which is a quarter of the work.
"""

from __future__ import annotations

import itertools
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from mien.face.classes import CLASSES

SLOPE: Final = 0.2


class Verdict(NamedTuple):
    """What one scale says."""

    score: Tensor
    """(N, 1, h, w): above 0 it looks photographed."""
    features: list[Tensor]

    def part(self, first: int, last: int | None) -> Verdict:
        """That of some of the pictures; no gradient flows through its features."""
        return Verdict(self.score[first:last], [found[first:last].detach() for found in self.features])


class Critic(nn.Module):
    """Three networks."""

    def __init__(self, spectral: bool = True) -> None:
        """`spectral`: with spectral normalisation; without it for a gradient penalty."""
        super().__init__()
        self.near = Scale((64, 96, 128), 2, spectral)
        self.middle = Scale((48, 96, 128), 2, spectral)
        self.far = Scale((48, 96), 1, spectral)

    def forward(self, picture: Tensor, labels: Tensor, window: tuple[int, int]) -> list[Verdict]:
        """Of pictures (N, 3, S, S) in -1..1 and maps (M, 19, S, S).

        N is a multiple of M: the first M pictures are of these maps, and so are the next. `window`: top left of the
        S / 2 pixels that are seen in detail.
        """
        top, left = window
        half = picture.shape[-1] // 2
        near = (slice(None), slice(None), slice(top, top + half), slice(left, left + half))
        verdicts = [self.near(picture[near], labels[near])]
        for scale in (self.middle, self.far):
            picture, labels = functional.avg_pool2d(picture, 2), functional.avg_pool2d(labels, 2)
            verdicts.append(scale(picture, labels))
        return verdicts


class Scale(nn.Module):
    """Scores of patches."""

    def __init__(self, widths: tuple[int, ...], fold: int, spectral: bool = True) -> None:
        """`fold`: side of the cells that are put into channels first."""
        super().__init__()
        normed = spectral_norm if spectral else _unchanged
        self.fold = fold
        self.map = nn.Conv2d(len(CLASSES), 16, fold, fold)
        layers = [nn.Conv2d(3 * fold**2 + 16, widths[0], 3, 1, 1)]
        layers += [nn.Conv2d(a, b, 4, 2, 1) for a, b in itertools.pairwise(widths)]
        self.layers = nn.ModuleList(normed(layer) for layer in layers)
        self.score = normed(nn.Conv2d(widths[-1], 1, 3, 1, 1))

    def forward(self, picture: Tensor, labels: Tensor) -> Verdict:
        """Of pictures (N, 3, S, S) and maps (M, 19, S, S)."""
        mapped = self.map(labels).repeat(len(picture) // len(labels), 1, 1, 1)
        seen = torch.cat([functional.pixel_unshuffle(picture, self.fold), mapped], 1)
        features: list[Tensor] = []
        for layer in self.layers:
            seen = functional.leaky_relu(layer(seen), SLOPE)
            features.append(seen)
        return Verdict(self.score(seen), features)


def _unchanged(layer: nn.Module) -> nn.Module:
    return layer
