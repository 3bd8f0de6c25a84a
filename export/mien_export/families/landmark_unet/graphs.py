"""The generator as the one graph of its family, with the fusion mask made of the target's parsing map."""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn
from torch.nn import functional

from mien.face.topology import PARTS
from mien.manifest import TensorSpec
from mien.manifest.bundle import BATCH
from mien.manifest.family import SIGNED, UNIT
from mien_export.families.landmark_unet.network import POINTS, LandmarkUnet
from mien_export.graphs.tracing import Traced

GENERATOR: Final = "generator"
EDGE: Final = 5
"""Width in pixels of 64 of the fusion mask's edge."""
OPERATORS: Final = frozenset(
    {"Add", "AveragePool", "Concat", "Conv", "LeakyRelu", "Relu", "Resize", "Slice", "Sub", "Tanh"}
)


class Generator(nn.Module):
    """A frame's picture, and where it shows: inside of the face's contour."""

    def __init__(self, network: LandmarkUnet) -> None:
        super().__init__()
        self.network = network
        self.edge = EDGE * network.size.side // 64 // 2 * 2 + 1

    def forward(self, picture: Tensor, landmarks: Tensor, parsing: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, S, S) in -1..1 and (N, 1, S, S) in 0..1, 0 in the face, of pictures, heat maps and parsing maps."""
        face = parsing[:, :1]
        mask = 1 - functional.avg_pool2d(face, self.edge, 1, self.edge // 2)
        return self.network(picture, landmarks), mask


assert PARTS[0] == "face"


def graphs_of(network: LandmarkUnet) -> tuple[Traced, ...]:
    """One."""
    side = network.size.side

    def spec(role: str, channels: int, limits: tuple[float, float]) -> TensorSpec:
        return TensorSpec(role, role, (BATCH, channels, side, side), range=limits)

    given = (spec("picture", 3, SIGNED), spec("landmarks", POINTS, UNIT), spec("parsing", len(PARTS), UNIT))
    made = (spec("generated", 3, SIGNED), spec("mask", 1, UNIT))
    return (Traced(GENERATOR, Generator(network), given, made, OPERATORS),)
