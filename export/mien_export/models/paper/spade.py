"""The SPADE unit and the residual block of three of them (thesis, fig. 3.7 and 3.8)."""

from __future__ import annotations

from torch import Tensor, nn

from mien_export.models.paper.blocks import conv
from mien_export.models.paper.sizes import PARTS
from mien_export.spade import spade_modulate

QUIET = 0.1
"""Scale of the first weights of gamma and beta: the modulation starts near none."""


class SpadeUnit(nn.Module):
    """relu(w * (x - mean) / deviation + b), with the ReLU that follows each unit.

    Mean and deviation per picture and channel (eq. 3.3, 3.4); w = f(s) and b = g(s) are one 3x3 convolution each of the
    parsing map s (eq. 3.5 to 3.7). f gives gamma = w - 1.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = conv(PARTS, channels, 3)
        self.beta = conv(PARTS, channels, 3)
        for layer in (self.gamma, self.beta):
            layer.weight.data.mul_(QUIET)

    def forward(self, x: Tensor, parsing: Tensor) -> Tensor:
        """x (N, C, H, W) and the parsing map (N, 9, H, W) in 0..1, to (N, C, H, W)."""
        if x.device.type == "cpu":
            x = x.float()  # the kernel there knows no other type, and torch takes twice as long
        return spade_modulate(x, self.gamma(parsing), self.beta(parsing), slope=0.0)


class SpadeResidual(nn.Module):
    """Two times [SPADE unit, ReLU, conv 1x1], plus a by-pass of another: (N, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.units = nn.ModuleList(SpadeUnit(channels) for _ in range(3))
        self.mix = nn.ModuleList(conv(channels, channels, 1) for _ in range(3))

    def forward(self, x: Tensor, parsing: Tensor) -> Tensor:
        """x (N, C, H, W), parsing map (N, 9, H, W)."""
        first, second, bypass = zip(self.units, self.mix, strict=True)
        stream = x
        for unit, mix in (first, second):
            stream = mix(unit(stream, parsing))
        unit, mix = bypass
        result: Tensor = stream + mix(unit(x, parsing))
        return result
