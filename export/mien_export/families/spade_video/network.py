"""The generator: from a code up to a picture, modulated by the label map at each level (SPADE), without a way down.

Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization", 2019, with one convolution for each
modulation, from a small embedding of the map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.face.classes import CLASSES
from mien_export.families.spade_video.code import LENGTH, ClassColours, Encoder, painted
from mien_export.families.spade_video.unet import MapToPicture

KIND: Final = "spade-video"
Architecture = Literal["spade", "batch-norm", "pix2pix"]
"""`batch-norm`: the map enters beside the features and only channels are normalised. `pix2pix`: a U-Net on the map in
its colours, without a code."""
SLOPE: Final = 0.2
"""Of leaky ReLU."""
FIRST: Final = 8
"""Side of the first level."""
MOMENTUM: Final = 0.05
"""Of batch normalisation's statistics."""


@dataclass(frozen=True, slots=True)
class SpadeSize:
    """Widths of a generator."""

    levels: tuple[int, ...]
    """Channels at 8, 16, 32, 64 pixels, and so on, up to half of the picture's side."""
    embedding: int = 24
    """Channels of the map's embedding."""
    head: tuple[int, int] = (24, 16)
    """Channels on the way from the last level to the picture."""
    architecture: Architecture = "spade"

    @property
    def side(self) -> int:
        """Of pictures and maps."""
        return int(FIRST * 2 ** len(self.levels))


SIZES: Final = {
    "128": SpadeSize((160, 160, 112, 48)),
    "256": SpadeSize((160, 160, 112, 48, 24)),
    "128-batch-norm": SpadeSize((160, 160, 112, 48), architecture="batch-norm"),
    "128-pix2pix": SpadeSize((48, 96, 144, 192), architecture="pix2pix"),
}


class SpadeVideo(nn.Module):
    """Encoder and generator."""

    def __init__(self, size: SpadeSize) -> None:
        super().__init__()
        self.size = size
        self.encoder = Encoder()
        self.colours = ClassColours()
        self.generator: Generator | MapToPicture = (
            MapToPicture(size.levels) if size.architecture == "pix2pix" else Generator(size)
        )

    def forward(self, labels: Tensor, code: Tensor) -> Tensor:
        """(N, 3, S, S) in -1..1 of label maps (N, 19, S, S) and codes with colours (N, 96 + 57)."""
        own, colours = code[:, :LENGTH], code[:, LENGTH:]
        picture: Tensor = self.generator(labels, painted(labels, colours), own)
        return picture


class Generator(nn.Module):
    """Level by level from 8 x 8 features that the code begins."""

    def __init__(self, size: SpadeSize) -> None:
        super().__init__()
        spade = size.architecture == "spade"
        widths, embedding = size.levels, size.embedding
        self.embedded = nn.ModuleList(
            nn.Conv2d(len(CLASSES) + 3, embedding, 2, 2) for _ in range(max(len(widths) - 4, 0) + 1)
        )
        """From the finest level down to that of 64 pixels, from which those below are pooled."""
        self.first = nn.Conv2d(embedding, widths[0], 3, 1, 1)
        self.begun = nn.Linear(LENGTH, widths[0] * 16)
        pairs = zip((widths[0], *widths), widths, strict=False)
        self.levels = nn.ModuleList(
            Level(inputs, outputs, embedding, spade, grows=number > 0) for number, (inputs, outputs) in enumerate(pairs)
        )
        self.head = Head(widths[-1], size.head)

    def forward(self, labels: Tensor, colours: Tensor, code: Tensor) -> Tensor:
        """(N, 3, S, S) of maps (N, 19, S, S), the same in colours (N, 3, S, S), and codes (N, 96)."""
        shown = torch.cat([labels, colours], 1)
        maps = self._maps(shown)
        begun = self.begun(code).unflatten(1, (-1, 4, 4))
        features = self.first(maps[0]) + functional.interpolate(begun, scale_factor=2.0, mode="bilinear")
        for level, given in zip(self.levels, maps, strict=True):
            features = level(features, given, code)
        picture: Tensor = self.head(features, shown)
        return picture

    def _maps(self, shown: Tensor) -> list[Tensor]:
        """The embedding at each level, the coarsest first."""
        maps: list[Tensor] = []
        for embedded in self.embedded:
            maps.insert(0, functional.leaky_relu(embedded(shown), SLOPE))
            shown = functional.avg_pool2d(shown, 2)
        while len(maps) < len(self.levels):
            maps.insert(0, functional.avg_pool2d(maps[0], 2))
        return maps


class Level(nn.Module):
    """Convolution, growth, modulation, convolution, modulation."""

    def __init__(
        self, inputs: int, outputs: int, embedding: int, spade: bool, grows: bool, length: int = LENGTH
    ) -> None:
        """`length`: of the code; 0: there is none."""
        super().__init__()
        self.spade, self.grows = spade, grows
        beside = 0 if spade else embedding
        self.before = nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.first = Modulation(outputs, embedding, spade, length)
        self.between = nn.Conv2d(outputs + beside, outputs, 3, 1, 1)
        self.second = Modulation(outputs, embedding, spade, length)
        self.noise = nn.Parameter(torch.zeros(1, outputs, 1, 1))

    def forward(
        self,
        features: Tensor,
        given: Tensor,
        code: Tensor,
        second: Tensor | None = None,
        noise: Tensor | None = None,
    ) -> Tensor:
        """(N, outputs, 2 h, 2 w), or of the same size where it does not grow.

        `second`: the code of the second modulation; None: the same. `noise`: (N, 1, 2 h, 2 w); None: new one in
        training, and none in use: it would flicker.
        """
        begun = self.before(features)
        if self.grows:
            begun = functional.interpolate(begun, scale_factor=2.0, mode="bilinear")
        inside = functional.leaky_relu(self.first(begun, given, code), SLOPE)
        inside = self.between(inside if self.spade else torch.cat([inside, given], 1))
        if noise is None and self.training:
            noise = torch.randn(len(inside), 1, *inside.shape[2:], device=inside.device)
        if noise is not None:
            inside = torch.addcmul(inside, self.noise, noise)
        return functional.leaky_relu(self.second(begun + inside, given, code if second is None else second), SLOPE)


class Modulation(nn.Module):
    """Normalised features, scaled and shifted by channel from the code, then by place from the map."""

    def __init__(self, channels: int, embedding: int, spade: bool, length: int = LENGTH) -> None:
        """`length`: of the code; 0: there is none, and what would come from it is learnt instead."""
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False, momentum=MOMENTUM)
        self.by_code = nn.Linear(length, 2 * channels)
        self.by_map = nn.Conv2d(embedding, 2 * channels, 3, 1, 1) if spade else None
        with torch.no_grad():
            self.by_code.weight.mul_(0.5)
            _begin_unchanged(self.by_code)
            if self.by_map is not None:
                _begin_unchanged(self.by_map)

    def forward(self, features: Tensor, given: Tensor, code: Tensor) -> Tensor:
        """Of the features' shape."""
        scale, shift = self.by_code(code)[..., None, None].chunk(2, 1)
        if self.training:
            features = self.norm(features)
        else:  # one pass over the features instead of two
            mean, variance = self.norm.running_mean, self.norm.running_var
            assert mean is not None
            assert variance is not None
            scale = scale * torch.rsqrt(variance + self.norm.eps)[None, :, None, None]
            shift = shift - mean[None, :, None, None] * scale
        features = features * scale + shift
        if self.by_map is None:
            return features
        scale, shift = self.by_map(given).chunk(2, 1)
        modulated: Tensor = features * scale + shift
        return modulated


def _begin_unchanged(layer: nn.Linear | nn.Conv2d) -> None:
    """Scales near 1 and shifts near 0 at first."""
    assert layer.bias is not None
    half = len(layer.bias) // 2
    layer.bias[:half], layer.bias[half:] = 1, 0


class Head(nn.Module):
    """The last features at twice their size, with the map at the picture's own, to colours.

    Interpolated and convolved at full size: each cell of pixels by itself would show as a grid.
    """

    def __init__(self, inputs: int, widths: tuple[int, int]) -> None:
        super().__init__()
        spread, fine = widths
        self.spread = nn.Conv2d(inputs, spread, 1)
        self.map = nn.Conv2d(len(CLASSES) + 3, 8, 1)
        self.fine = nn.Conv2d(spread + 8, fine, 3, 1, 1)
        self.colours = nn.Conv2d(fine, 3, 3, 1, 1)

    def forward(self, features: Tensor, shown: Tensor) -> Tensor:
        """(N, 3, S, S) in -1..1."""
        spread = functional.interpolate(self.spread(features), scale_factor=2.0, mode="bilinear")
        fine = functional.leaky_relu(self.fine(torch.cat([spread, self.map(shown)], 1)), SLOPE)
        return torch.tanh(self.colours(fine))
