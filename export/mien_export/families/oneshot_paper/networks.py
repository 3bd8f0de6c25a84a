"""The thesis's networks: the appearance auto-encoder F and the semantically adaptive decoder D, in their sizes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Final, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien_export.spade import spade_modulate

KIND: Final = "oneshot-paper"
"""As manifests and checkpoints have it."""
PARTS: Final = 9
"""Channels of a parsing map."""
SCALES: Final = 4
"""Last modules of D, which take the feature maps of F's decoder and the parsing map."""


@dataclass(frozen=True, slots=True)
class PaperSize:
    """Widths of F, D and the discriminators. There are log2(side) blocks each way, so that the latent is 1x1."""

    name: str
    side: int
    """S: height and width of the pictures."""
    encoder: tuple[int, ...]
    """Channels that F's down blocks give, at S / 2, S / 4 ... 1; the last is the latent's."""
    decoder: tuple[int, ...]
    """Channels that F's up blocks take, at 1, 2 ... S / 2; the first is the latent's, the last four D's features."""
    composer: tuple[int, ...]
    """Channels that D's up modules give, at 2, 4 ... S."""
    discriminator: tuple[int, ...] = (64, 128, 256, 512)
    """Channels of a PatchGAN's convolutions, of which the last keeps its resolution."""

    def __post_init__(self) -> None:
        depth = self.side.bit_length() - 1
        if self.side != 1 << depth or depth <= SCALES:
            raise ValueError(f"side: expected a power of two above {1 << SCALES}, got {self.side}")
        for name, widths in (("encoder", self.encoder), ("decoder", self.decoder), ("composer", self.composer)):
            if len(widths) != depth:
                raise ValueError(f"{name}: expected {depth} widths for a side of {self.side}, got {len(widths)}")
        if self.encoder[-1] != self.decoder[0]:
            raise ValueError(f"the latent has {self.encoder[-1]} channels, but the decoder takes {self.decoder[0]}")

    @property
    def latent(self) -> int:
        """Channels of the latent."""
        return self.encoder[-1]

    @property
    def features(self) -> tuple[tuple[int, int], ...]:
        """(resolution, channels) of the four feature maps that F hands to D, coarse to fine."""
        first = len(self.decoder) - SCALES
        return tuple((1 << (first + i), channels) for i, channels in enumerate(self.decoder[first:]))


SIZES: Final[dict[str, PaperSize]] = {
    size.name: size
    for size in (
        PaperSize(
            "paper",
            256,
            encoder=(64, 128, 256, 512, 1024, 1024, 1024, 1024),
            decoder=(1024, 1024, 1024, 1024, 1024, 512, 256, 128),
            composer=(512, 512, 512, 512, 256, 128, 64, 64),
        ),
        PaperSize(
            "paper-64",
            64,
            encoder=(32, 64, 96, 128, 256, 256),
            decoder=(256, 256, 192, 128, 96, 64),
            composer=(128, 128, 96, 64, 48, 32),
            discriminator=(32, 64, 128),
        ),
    )
}
"""By name. `paper` has the thesis's widths (section 4.1.3), which are those that each block takes: only so do the last
four feature maps lie where D's last four modules work, at 16, 32, 64 and 128. It leaves D's own widths open. `paper-64`
is narrow, for the ablation on a processor."""


Layer = TypeVar("Layer", nn.Conv2d, nn.ConvTranspose2d)

LEAK = 0.2
"""Slope of the leaky ReLUs on the way down."""


def conv(inputs: int, outputs: int, side: int) -> nn.Conv2d:
    """A convolution of odd `side` that keeps the resolution."""
    layer = nn.Conv2d(inputs, outputs, side, 1, side // 2)
    return _initialised(layer, inputs * side * side)


def down(inputs: int, outputs: int, stride: int = 2) -> nn.Conv2d:
    """A 4x4 convolution: half the resolution; with stride 1, one pixel less."""
    return _initialised(nn.Conv2d(inputs, outputs, 4, stride, 1), inputs * 16)


def up(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """A 4x4 deconvolution: twice the resolution. Four taps of it meet in each pixel."""
    return _initialised(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), inputs * 4)


def normal(channels: int, side: int) -> nn.Module:
    """Instance normalisation; none at 1x1, where it would leave nothing."""
    return nn.InstanceNorm2d(channels) if side > 1 else nn.Identity()


def _initialised(layer: Layer, taps: int) -> Layer:
    nn.init.normal_(layer.weight, std=sqrt(2 / taps))
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


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
