"""What a network of styles is to reach: means and covariances of feature maps of paintings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien_export.families.style.paintings import with_short_side
from mien_export.train.terms import Features

SHARES: Final = {"udnie": 0.5}
"""How much a style counts in the loss; 1 where none is named. Udnie is nearly black and white, and covered faces."""


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Of feature maps: what a style is."""

    means: tuple[Tensor, ...]
    """Of each map, (K, C)."""
    covariances: tuple[Tensor, ...]
    """(K, C, C)."""


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (N, C) and covariance (N, C, C) over the places of a feature map (N, C, H, W).

    The plain Gram matrix is ruled by the mean: with it a network learns colours and draws no strokes.
    """
    count = features.shape[2] * features.shape[3]
    flat = features.flatten(2).transpose(1, 2)
    mean = flat.float().mean(1)
    centred = flat - mean[:, None].to(flat.dtype)
    return mean, torch.bmm(centred.transpose(1, 2), centred).float() / count


class StyleGoals:
    """Paintings as an extractor sees them, in several sizes."""

    def __init__(
        self,
        paintings: Mapping[str, NDArray[np.uint8]],
        extractor: Features,
        sides: Sequence[int],
        device: torch.device,
    ) -> None:
        """`sides`: of the paintings' shorter side, in pixels."""
        self.extractor = extractor
        self.weights = torch.tensor([SHARES.get(name, 1.0) for name in paintings], device=device)
        """(K,): how much each style counts."""
        self._statistics = {side: _statistics(paintings.values(), extractor, side, device) for side in set(sides)}

    def statistics(self, side: int) -> Statistics:
        """Of the paintings in this size."""
        return self._statistics[side]


@torch.no_grad()
def _statistics(
    paintings: Iterable[NDArray[np.uint8]], extractor: Features, side: int, device: torch.device
) -> Statistics:
    rows = []
    for pixels in paintings:
        picture = torch.from_numpy(with_short_side(pixels, side)).to(device).permute(2, 0, 1)[None].float() / 127.5 - 1
        rows.append([moments(features) for features in extractor(picture)])
    maps = range(len(rows[0]))
    return Statistics(
        tuple(torch.cat([row[number][0] for row in rows]) for number in maps),
        tuple(torch.cat([row[number][1] for row in rows]) for number in maps),
    )
