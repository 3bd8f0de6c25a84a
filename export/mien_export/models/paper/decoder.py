"""The semantically adaptive decoder D: composes the reference's appearance with the shape of the parsing map."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien_export.models.paper.blocks import conv, up
from mien_export.models.paper.sizes import SCALES, PaperSize
from mien_export.models.paper.spade import SpadeResidual


class PlainModule(nn.Module):
    """Conv 3x3, ReLU, deconv 4x4: (N, C, R, R) to (N, D, 2 R, 2 R)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = conv(inputs, outputs, 3)
        self.up = up(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, C, R, R)."""
        result: Tensor = self.up(F.relu(self.conv(x)))
        return result


class AdaptiveModule(nn.Module):
    """SPADE residual block, conv 1x1, deconv 4x4: (N, C, R, R) to (N, D, 2 R, 2 R) (thesis, fig. 3.6)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.block = SpadeResidual(inputs)
        self.reduce = conv(inputs, outputs, 1)
        self.up = up(outputs, outputs)

    def forward(self, x: Tensor, parsing: Tensor) -> Tensor:
        """x (N, C, R, R), parsing map (N, 9, R, R)."""
        result: Tensor = self.up(self.reduce(self.block(x, parsing)))
        return result


class AdaptiveDecoder(nn.Module):
    """log2(S) up modules; the last four take F's feature map of their scale, concatenated, and the parsing map.

    The text leaves open what turns the last module's channels into the picture: a 3x3 convolution and tanh do here.
    Without `concatenate` the feature maps are left out, as in the thesis's ablation (table 4.2).
    """

    def __init__(self, size: PaperSize, concatenate: bool = True) -> None:
        super().__init__()
        self.size = size
        self.concatenate = concatenate
        inputs = (size.latent, *size.composer[:-1])
        plain = len(inputs) - SCALES
        added = [channels if concatenate else 0 for _, channels in size.features]
        self.plain = nn.ModuleList(
            PlainModule(a, b) for a, b in zip(inputs[:plain], size.composer[:plain], strict=True)
        )
        self.adaptive = nn.ModuleList(
            AdaptiveModule(a + more, b) for a, more, b in zip(inputs[plain:], added, size.composer[plain:], strict=True)
        )
        self.picture = conv(size.composer[-1], 3, 3)

    def forward(self, latent: Tensor, features: tuple[Tensor, ...], parsing: Tensor) -> Tensor:
        """The result I_o (N, 3, S, S) in -1..1, eq. 3.2.

        latent: (N, C, 1, 1). features: four, coarse to fine, (N, C, R, R), of F. parsing: (N, 9, S, S) in 0..1, of the
        target.
        """
        h = latent
        for plain in self.plain:
            h = plain(h)
        for adaptive, feature in zip(self.adaptive, features, strict=True):
            here = F.avg_pool2d(parsing, parsing.shape[-1] // feature.shape[-1])
            h = adaptive(torch.cat([h, feature], 1) if self.concatenate else h, here)
        return torch.tanh(self.picture(h))
