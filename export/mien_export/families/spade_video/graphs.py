"""A synthesis as graphs: a portrait's code once, then a picture of each frame's label map."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.face import classes
from mien.face.classes import CLASSES
from mien.manifest import TensorSpec
from mien.manifest.bundle import BATCH
from mien.manifest.family import SIGNED, UNIT
from mien_export.families.spade_video.code import COLOURS, LENGTH, SIDE
from mien_export.families.spade_video.network import SpadeVideo
from mien_export.graphs.tracing import Traced

ENCODE, PAINT = "encode", "paint"
HEAD: Final = tuple(
    kind
    for kind in range(len(CLASSES))
    if kind not in (classes.BACKGROUND, classes.NECK, classes.NECKLACE, classes.CLOTH)
)
"""Classes whose pixels are painted."""
SOFT: Final = 5
"""Width in pixels of 128 of the fusion mask's edge."""
_COMMON: Final = {"Add", "Concat", "Conv", "LeakyRelu", "MatMul", "Mul", "Reshape", "Sub", "Transpose", "Unsqueeze"}
ENCODE_OPERATORS: Final = frozenset(_COMMON | {"Div", "Gemm", "ReduceSum", "Slice"})
PAINT_OPERATORS: Final = frozenset(
    _COMMON | {"AveragePool", "Gemm", "ReduceSum", "Relu", "Resize", "Slice", "Split", "Tanh"}
)
"""`Relu`: of the U-Net alone."""


class Encode(nn.Module):
    """Code and colours of a portrait."""

    def __init__(self, network: SpadeVideo) -> None:
        super().__init__()
        self.encoder, self.colours = network.encoder, network.colours
        self.times = network.size.side // SIDE

    def forward(self, picture: Tensor, portrait_classes: Tensor) -> Tensor:
        """(N, 153) of pictures (N, 3, S, S) in -1..1 and label maps (N, 19, S, S)."""
        if self.times > 1:
            picture, portrait_classes = (
                functional.avg_pool2d(value, self.times) for value in (picture, portrait_classes)
            )
        mean, _ = self.encoder(picture, portrait_classes)
        return torch.cat([mean, self.colours(picture, portrait_classes)], 1)


class Paint(nn.Module):
    """A frame's picture, and where it shows."""

    def __init__(self, network: SpadeVideo) -> None:
        super().__init__()
        self.network = network
        self.width = SOFT * (network.size.side // SIDE) // 2 * 2 + 1

    def forward(self, classes: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, S, S) in -1..1 and (N, 1, S, S) in 0..1, 0 where the head is, of maps (N, 19, S, S) and codes."""
        head = classes[:, 1:_NECKLACE].sum(1, keepdim=True)
        return self.network(classes, code), 1 - functional.avg_pool2d(head, self.width, 1, self.width // 2)


_NECKLACE: Final = classes.NECKLACE
assert tuple(range(1, _NECKLACE)) == HEAD


def graphs_of(network: SpadeVideo) -> tuple[Traced, ...]:
    """Both graphs, in the family's order."""
    side = network.size.side
    code = TensorSpec("code", "code", (BATCH, LENGTH + COLOURS))
    picture = TensorSpec("picture", "picture", (BATCH, 3, side, side), range=SIGNED)
    generated = TensorSpec("generated", "generated", (BATCH, 3, side, side), range=SIGNED)
    mask = TensorSpec("mask", "mask", (BATCH, 1, side, side), range=UNIT)
    given, own = (_classes(name, side) for name in ("classes", "portrait_classes"))
    return (
        Traced(ENCODE, Encode(network), (picture, own), (code,), ENCODE_OPERATORS),
        Traced(PAINT, Paint(network), (given, code), (generated, mask), PAINT_OPERATORS),
    )


def _classes(role: str, side: int) -> TensorSpec:
    return TensorSpec(role, role, (BATCH, len(CLASSES), side, side), range=UNIT)
