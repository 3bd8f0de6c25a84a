"""What a picture gives to a synthesis: a code by an encoder, and the mean colour of each class."""

from __future__ import annotations

import itertools
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.face import classes
from mien.face.classes import CLASSES

LENGTH: Final = 96
"""Of the encoder's code."""
COLOURS: Final = 3 * len(CLASSES)
"""Length of the classes' colours."""
SIDE: Final = 128
"""Of the pictures that the encoder sees."""
WIDTHS: Final = (32, 64, 96, 128, 160)
"""Of the encoder, at 64, 32, 16, 8 and 4 pixels."""
LEAST_VARIANCE, MOST_VARIANCE = -8.0, 4.0
"""Logarithms."""
DOUBT: Final = 24.0
"""Pixels (of 128 x 128) of a class below which its colour is mostly that of the class that it resembles."""
_ALIKE: Final = {
    classes.NOSE: classes.SKIN,
    classes.LEFT_BROW: classes.HAIR,
    classes.RIGHT_BROW: classes.HAIR,
    classes.LEFT_EAR: classes.SKIN,
    classes.RIGHT_EAR: classes.SKIN,
    classes.UPPER_LIP: classes.SKIN,
    classes.LOWER_LIP: classes.SKIN,
    classes.HAT: classes.HAIR,
    classes.NECK: classes.SKIN,
}
"""Class whose colour stands in for that of another one that a picture hardly shows; itself where none is named."""
_USUAL: Final = {
    classes.BACKGROUND: (0.0, 0.0, 0.0),
    classes.SKIN: (0.5, 0.15, 0.0),
    classes.GLASSES: (-0.3, -0.35, -0.35),
    classes.LEFT_EYE: (-0.25, -0.35, -0.4),
    classes.RIGHT_EYE: (-0.25, -0.35, -0.4),
    classes.MOUTH: (0.2, 0.0, -0.1),
    classes.HAIR: (-0.3, -0.4, -0.45),
    classes.EARRING: (0.3, 0.25, 0.15),
    classes.NECKLACE: (0.3, 0.25, 0.15),
    classes.CLOTH: (-0.4, -0.4, -0.35),
}
"""Colours in -1..1 where a picture tells none."""
_FIXED: Final = (
    *(classes.GLASSES, classes.LEFT_EYE, classes.RIGHT_EYE, classes.MOUTH, classes.EARRING, classes.NECKLACE),
)
"""Classes whose colour is the usual one: what a picture shows of them is thin, or changes with the expression."""


class ClassColours(nn.Module):
    """The mean colour of each class of a picture; of a class that it hardly shows, that of one that is like it."""

    usual: Tensor
    alike: Tensor
    fixed: Tensor

    def __init__(self) -> None:
        super().__init__()
        usual = [_USUAL.get(kind, _USUAL.get(_ALIKE.get(kind, kind), (0.0, 0.0, 0.0))) for kind in range(len(CLASSES))]
        alike = torch.tensor([_ALIKE.get(kind, kind) for kind in range(len(CLASSES))])
        fixed = torch.zeros(len(CLASSES), 1)
        fixed[list(_FIXED)] = 1
        self.register_buffer("usual", torch.tensor(usual), persistent=False)
        self.register_buffer("alike", functional.one_hot(alike, len(CLASSES)).float(), persistent=False)
        self.register_buffer("fixed", fixed, persistent=False)

    def forward(self, picture: Tensor, labels: Tensor) -> Tensor:
        """(N, 57): colours in -1..1, class by class, of pictures (N, 3, S, S) and label maps (N, 19, S, S)."""
        shown = labels.flatten(2)
        sums = torch.matmul(shown, picture.flatten(2).transpose(1, 2))
        areas = shown.sum(2, keepdim=True)
        doubt = DOUBT * (picture.shape[-1] / SIDE) ** 2
        own = (sums + doubt * self.usual) / (areas + doubt)
        likely = (sums + doubt * torch.matmul(self.alike, own)) / (areas + doubt)
        colours = likely + (self.usual - likely) * self.fixed
        return colours.flatten(1)


class Encoder(nn.Module):
    """Stride-2 convolutions to the mean and the variance of a picture's code. It does not see the background."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Conv2d(len(CLASSES), 8, 1)
        layers: list[nn.Module] = [nn.Conv2d(11, WIDTHS[0], 4, 2, 1)]
        for inputs, outputs in itertools.pairwise(WIDTHS):
            layers += [nn.LeakyReLU(0.2), nn.Conv2d(inputs, outputs, 3, 2, 1), nn.BatchNorm2d(outputs, momentum=0.05)]
        self.convolutions = nn.Sequential(*layers, nn.LeakyReLU(0.2))
        self.mean = nn.Linear(WIDTHS[-1] * 16, LENGTH)
        self.variance = nn.Linear(WIDTHS[-1] * 16, LENGTH)

    def forward(self, picture: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 96) twice: means and logarithms of variances, of pictures (N, 3, 128, 128) in -1..1 and their maps."""
        person = picture * (1 - labels[:, :1])
        features = self.convolutions(torch.cat([person, self.map(labels)], 1)).flatten(1)
        return self.mean(features), self.variance(features).clamp(LEAST_VARIANCE, MOST_VARIANCE)


def painted(labels: Tensor, colours: Tensor) -> Tensor:
    """(N, 3, S, S): label maps (N, 19, S, S) in the classes' colours (N, 57)."""
    count, kinds, height, width = labels.shape
    table = colours.reshape(count, kinds, 3).transpose(1, 2)
    return torch.matmul(table, labels.flatten(2)).reshape(count, 3, height, width)
