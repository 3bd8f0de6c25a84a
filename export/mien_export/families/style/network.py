"""The network of styles: strokes at half the resolution, beside a colour transfer of each style.

A picture x in 0..1 becomes sigmoid(4 (A x + t + 0.7 strokes - 0.5)), where A (3x3) and t (3) are the style's colour
transfer. The network only adds strokes, so it may see a small picture while the colours are those of a large one.

Every convolution is followed by conditional instance normalisation (Dumoulin et al., "A learned representation for
artistic style", 2017): a style is a row of scales and shifts. Scales and shifts that were found on one picture can be
kept as a vector, the look; with it the network normalises nothing and draws the same strokes in every frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

KIND: Final = "style"
"""As manifests and checkpoints have it."""
FOLD: Final = 2
"""Pixels along each side of a cell of the finest level; strokes have one value for each cell."""
GAIN: Final = 4.0
"""Steepness of the sigmoid that keeps answers in 0..1, and gradients alive at its ends."""
STROKES: Final = 0.7
"""How far strokes may move a colour."""
EPSILON: Final = 1e-4
"""Added to variances."""


@dataclass(frozen=True, slots=True)
class StyleSize:
    """Widths of a network of styles."""

    outer: int
    """Channels at half of the side."""
    inner: int
    """Channels at a quarter."""
    blocks: int
    """Residual blocks there."""


SIZES: Final = {"m": StyleSize(32, 64, 4)}


class Styled(nn.Module):
    """A convolution without bias, and scale and shift of each channel by style.

    In training its border is mirrored, so that no frame is drawn along a picture's edge. Graphs that are exported pad
    with zeros, which is fast; whoever runs them mirrors the picture around itself instead.
    """

    def __init__(self, inputs: int, outputs: int, styles: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.scale = nn.Parameter(torch.ones(styles, outputs))
        self.shift = nn.Parameter(torch.zeros(styles, outputs))

    @property
    def channels(self) -> int:
        """Of the answer."""
        return self.convolution.out_channels

    def filtered(self, features: Tensor) -> Tensor:
        """The convolution alone, (N, C, H, W)."""
        if not self.training:
            out: Tensor = self.convolution(features)
            return out
        padded = functional.pad(features, (1, 1, 1, 1), mode="reflect")
        return functional.conv2d(padded, self.convolution.weight, stride=self.convolution.stride)

    def look(self, filtered: Tensor, mix: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and shift (N, C) that normalise these features and give them a style."""
        values = filtered.float()
        mean = values.mean((2, 3))
        variance = ((values * values).mean((2, 3)) - mean * mean).clamp(min=0)
        scale = (mix @ self.scale) * torch.rsqrt(variance + EPSILON)
        return scale, mix @ self.shift - mean * scale


class StyleNetwork(nn.Module):
    """Strokes and colours of several styles."""

    def __init__(self, size: StyleSize, styles: int) -> None:
        """`styles`: how many it holds."""
        super().__init__()
        self.fold = Styled(3 * FOLD**2, size.outer, styles)
        self.down = Styled(size.outer, size.inner, styles, stride=2)
        self.blocks = nn.ModuleList(
            nn.ModuleList(Styled(size.inner, size.inner, styles) for _ in range(2)) for _ in range(size.blocks)
        )
        self.up = Styled(size.inner, size.outer, styles)
        self.strokes = nn.Conv2d(size.outer, 3, 3, 1, 1)
        nn.init.normal_(self.strokes.weight, 0, 0.02)
        assert self.strokes.bias is not None
        nn.init.zeros_(self.strokes.bias)
        self.colours = nn.Parameter(torch.eye(3).repeat(styles, 1, 1))
        self.offsets = nn.Parameter(torch.zeros(styles, 3))

    @property
    def styles(self) -> int:
        """How many it holds."""
        return len(self.offsets)

    @property
    def layers(self) -> list[Styled]:
        """Those with a look, in the order in which they run."""
        return [module for module in self.modules() if isinstance(module, Styled)]

    @property
    def look_length(self) -> int:
        """Numbers of a look."""
        return 2 * sum(layer.channels for layer in self.layers)

    def forward(
        self, picture: Tensor, mix: Tensor, given: Tensor | None = None, fixed: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Strokes (N, 3, H / 2, W / 2) in -1..1, and the look (N, L) of the picture in this style.

        Args:
            picture: (N, 3, H, W) in -1..1; H and W are multiples of 4.
            mix: (N, K), the share of each style.
            given: (N, L), a look that counts by the share `fixed` (N, 1) instead of the picture's own.
        """
        looks: list[Tensor] = []
        place = 0

        def styled(layer: Styled, features: Tensor) -> Tensor:
            nonlocal place
            filtered = layer.filtered(features)
            look = torch.cat(layer.look(filtered, mix), 1)
            if given is not None and fixed is not None:
                look = look + fixed * (given[:, place : place + 2 * layer.channels] - look)
            place += 2 * layer.channels
            looks.append(look)
            return _scaled(filtered, look[:, : layer.channels], look[:, layer.channels :])

        strokes = self._run(picture, styled)
        return strokes, torch.cat(looks, 1)

    def alike(self, picture: Tensor, look: Tensor) -> Tensor:
        """Strokes (N, 3, H / 2, W / 2) with a look that was found before, (N, L)."""
        place = 0

        def styled(layer: Styled, features: Tensor) -> Tensor:
            nonlocal place
            width = layer.channels
            scale, shift = look[:, place : place + width], look[:, place + width : place + 2 * width]
            place += 2 * width
            return _scaled(layer.filtered(features), scale, shift)

        return self._run(picture, styled)

    def transfer(self, mix: Tensor) -> Tensor:
        """The colour transfer (N, 12): nine numbers of A by rows, three of t."""
        return torch.cat([mix @ self.colours.flatten(1), mix @ self.offsets], 1)

    def _run(self, picture: Tensor, styled: Callable[[Styled, Tensor], Tensor]) -> Tensor:
        first = features = functional.relu(styled(self.fold, functional.pixel_unshuffle(picture, FOLD)))
        features = functional.relu(styled(self.down, features))
        for block in self.blocks:
            assert isinstance(block, nn.ModuleList)
            one, two = block
            assert isinstance(one, Styled)
            assert isinstance(two, Styled)
            features = features + styled(two, functional.relu(styled(one, features)))
        # not the nearest: Gram matrices like the combs that it draws along edges
        features = functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
        features = functional.relu(styled(self.up, features)) + first
        return torch.tanh(self._last(features).float())

    def _last(self, features: Tensor) -> Tensor:
        if not self.training:
            out: Tensor = self.strokes(features)
            return out
        padded = functional.pad(features, (1, 1, 1, 1), mode="reflect")
        return functional.conv2d(padded, self.strokes.weight, self.strokes.bias)


def recoloured(picture: Tensor, transfer: Tensor) -> Tensor:
    """A x + t (N, 3, H, W) of pictures x in 0..1, by the colour transfer (N, 12)."""
    matrix = transfer[:, :9].view(-1, 3, 3)
    return torch.einsum("nij,njhw->nihw", matrix, picture.float()) + transfer[:, 9:, None, None]


def drawn(colours: Tensor, strokes: Tensor | None) -> Tensor:
    """Pictures in 0..1 of recoloured pixels (N, 3, H, W) and strokes (N, 3, h, w), which are enlarged; None: none."""
    if strokes is not None:
        size = colours.shape[2:]
        colours = colours + STROKES * functional.interpolate(strokes, size=size, mode="bilinear", align_corners=False)
    return torch.sigmoid(GAIN * (colours - 0.5))


def _scaled(features: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return features * scale[:, :, None, None].to(features.dtype) + shift[:, :, None, None].to(features.dtype)
