"""The generator G(z, c, s): segmentation first, then latent, then attributes, from coarse to fine; and its encoder.

The order is that of "Spatially Constrained GAN for Face and Fashion Synthesis" (Jiang et al.). In the hybrid form the
segmentation is also given in the colours of its classes with a coarse face laid on it, so that the latent has only hair
and cloth to tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.face.classes import CLASSES
from mien.face.traits import TRAITS
from mien_export.families.spade_video.code import COLOURS, LENGTH, Encoder
from mien_export.families.spade_video.network import FIRST, SLOPE, Level

KIND: Final = "scgan"
PAPER: Final = "scgan-paper"
Order = Literal["stepwise", "at-once"]
"""`stepwise`: 8 x 8 takes the segmentation, 16 x 16 the latent, too, and from 32 x 32 on the attributes. `at-once`: all
three enter from the first level on."""


@dataclass(frozen=True, slots=True)
class ScganSize:
    """Widths and form of a generator."""

    levels: tuple[int, ...] = (160, 160, 112, 56)
    """Channels at 8, 16, 32, 64 pixels, and so on, up to half of the picture's side."""
    embedding: int = 24
    """Channels of the map's embedding."""
    head: tuple[int, int] = (28, 20)
    """Channels on the way from the last level to the picture."""
    hybrid: bool = True
    """Whether it is given the painted map; otherwise the classes' colours are attributes."""
    order: Order = "stepwise"

    @property
    def side(self) -> int:
        """Of pictures and maps."""
        return int(FIRST * 2 ** len(self.levels))

    @property
    def attributes(self) -> int:
        """How many there are."""
        return len(TRAITS) + (0 if self.hybrid else COLOURS)

    @property
    def layers(self) -> int:
        """Modulated by a style of their own: two a level, and one at the end."""
        return 2 * (len(self.levels) - (1 if self.order == "stepwise" else 0)) + 1


SIZES: Final = {
    "128": ScganSize(),
    "256": ScganSize((160, 160, 112, 56, 28)),
    "128-at-once": ScganSize(order="at-once"),
    "128-plain": ScganSize(hybrid=False),
}


class Scgan(nn.Module):
    """Encoder of the latent, and generator."""

    def __init__(self, size: ScganSize) -> None:
        super().__init__()
        self.size = size
        self.encoder = Encoder()
        self.generator = Generator(size)

    def forward(self, labels: Tensor, painted: Tensor, styles: Tensor, attributes: Tensor, noise: Tensor) -> Tensor:
        """(N, 3, S, S) in -1..1.

        Args:
            labels: (N, 19, S, S): shares of classes.
            painted: (N, 3, S, S) in -1..1; not read in the plain form.
            styles: (N, layers * 96): a latent for each layer, mostly the same one.
            attributes: (N, A).
            noise: (N, 1, S, S), standard normal.
        """
        picture: Tensor = self.generator(labels, painted, styles, attributes, noise)
        return picture

    def spread(self, latent: Tensor) -> Tensor:
        """(N, layers * 96): one latent (N, 96) for all layers."""
        return latent.repeat(1, self.size.layers)


class Generator(nn.Module):
    """Level by level from the embedded map at 8 x 8."""

    def __init__(self, size: ScganSize) -> None:
        super().__init__()
        self.size = size
        widths, embedding, shown = size.levels, size.embedding, len(CLASSES) + (3 if size.hybrid else 0)
        self.embedded = nn.ModuleList(nn.Conv2d(shown, embedding, 2, 2) for _ in range(max(len(widths) - 4, 0) + 1))
        """From the finest level down to that of 64 pixels, from which those below are pooled."""
        self.first = nn.Conv2d(embedding, widths[0], 3, 1, 1)
        pairs = zip((widths[0], *widths), widths, strict=False)
        self.levels = nn.ModuleList(
            Level(a, b, embedding, True, grows=number > 0, length=self._length(number))
            for number, (a, b) in enumerate(pairs)
        )
        self.head = Head(widths[-1], size.head, shown, LENGTH + size.attributes)

    def _length(self, level: int) -> int:
        """Of the code of a level."""
        if self.size.order == "at-once" or level > 1:
            return LENGTH + self.size.attributes
        return LENGTH if level else 1

    def forward(self, labels: Tensor, painted: Tensor, styles: Tensor, attributes: Tensor, noise: Tensor) -> Tensor:
        """As `Scgan`."""
        shown = torch.cat([labels, painted], 1) if self.size.hybrid else labels
        maps = self._maps(shown)
        styles_left = list(torch.split(styles, LENGTH, 1))
        features = self.first(maps[0])
        for number, (level, given) in enumerate(zip(self.levels, maps, strict=True)):
            length = self._length(number)
            first, second = (_code(length, styles_left, attributes) for _ in range(2))
            step = noise.shape[-1] // given.shape[-1]
            features = level(features, given, first, second, noise[:, :, ::step, ::step])
        picture: Tensor = self.head(features, shown, _code(LENGTH + 1, styles_left, attributes), noise)
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


def _code(length: int, styles: list[Tensor], attributes: Tensor) -> Tensor:
    """The code of one layer, which takes its style from the list: nothing, a style, or a style with attributes."""
    if length < LENGTH:
        return attributes[:, :1] * 0
    style = styles.pop(0)
    return style if length == LENGTH else torch.cat([style, attributes], 1)


class Head(nn.Module):
    """The last features at twice their size, with the map at the picture's own, styled and with noise, to colours.

    Interpolated and convolved at full size: each cell of pixels by itself would show as a grid.
    """

    def __init__(self, inputs: int, widths: tuple[int, int], shown: int, length: int) -> None:
        super().__init__()
        spread, fine = widths
        self.spread = nn.Conv2d(inputs, spread, 1)
        self.map = nn.Conv2d(shown, 12, 1)
        self.fine = nn.Conv2d(spread + 12, fine, 3, 1, 1)
        self.by_code = nn.Linear(length, 2 * fine)
        self.noise = nn.Parameter(torch.zeros(1, fine, 1, 1))
        self.colours = nn.Conv2d(fine, 3, 3, 1, 1)
        with torch.no_grad():
            self.by_code.weight.mul_(0.5)
            self.by_code.bias[:fine], self.by_code.bias[fine:] = 1, 0

    def forward(self, features: Tensor, shown: Tensor, code: Tensor, noise: Tensor) -> Tensor:
        """(N, 3, S, S) in -1..1."""
        spread = functional.interpolate(self.spread(features), scale_factor=2.0, mode="bilinear")
        fine = self.fine(torch.cat([spread, self.map(shown)], 1))
        scale, shift = self.by_code(code)[..., None, None].chunk(2, 1)
        fine = torch.addcmul(fine * scale + shift, self.noise, noise)
        return torch.tanh(self.colours(functional.leaky_relu(fine, SLOPE)))
