"""Networks of styles as graphs: one for a whole picture, one for a patch of it in every frame."""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn

from mien.manifest import TensorSpec
from mien.manifest.bundle import BATCH
from mien.manifest.family import SIGNED, UNIT
from mien_export.families.style.network import FOLD, StyleNetwork
from mien_export.graphs.tracing import Traced

SIDE: Final = 320
"""Of the canvas of a whole picture: 256 pixels and a mirrored border of 32."""
PATCH: Final = (112, 96)
"""Height and width of a patch: what a generator paints at half of its resolution, and a border of 8."""
PATCH_OPERATORS: Final = frozenset(
    {"Add", "Conv", "Mul", "Relu", "Resize", "Slice", "SpaceToDepth", "Tanh", "Unsqueeze"}
)
WHOLE_OPERATORS: Final = PATCH_OPERATORS | {"Concat", "MatMul", "Max", "ReduceMean", "Reciprocal", "Sqrt", "Sub"}


class Whole(nn.Module):
    """Strokes, look and colour transfer of a picture, in a look of its own or in one that is given."""

    def __init__(self, network: StyleNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor, mix: Tensor, given: Tensor, fixed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, 3, S / 2, S / 2), (N, L) and (N, 12) of pictures (N, 3, S, S) in -1..1 and shares (N, K).

        `given` (N, L): a look, which counts by the share `fixed` (N, 1).
        """
        strokes, look = self.network(picture, mix, given, fixed)
        return strokes, look, self.network.transfer(mix)


class Patch(nn.Module):
    """Strokes of a patch, drawn as in the picture whose look is given."""

    def __init__(self, network: StyleNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor, look: Tensor) -> Tensor:
        """(N, 3, H / 2, W / 2) of patches (N, 3, H, W) in -1..1 and a look (N, L)."""
        return self.network.alike(picture, look)


def graphs_of(network: StyleNetwork) -> tuple[Traced, ...]:
    """Both graphs, in the family's order."""
    look = TensorSpec("look", "look", (BATCH, network.look_length))
    height, width = PATCH
    whole = Traced(
        "whole",
        Whole(network),
        (
            _picture(SIDE, SIDE),
            TensorSpec("mix", "mix", (BATCH, network.styles), range=UNIT),
            TensorSpec("given", "given", (BATCH, network.look_length)),
            TensorSpec("fixed", "fixed", (BATCH, 1), range=UNIT),
        ),
        (_strokes(SIDE, SIDE), look, TensorSpec("transfer", "transfer", (BATCH, 12))),
        WHOLE_OPERATORS,
    )
    return whole, Traced(
        "patch", Patch(network), (_picture(height, width), look), (_strokes(height, width),), PATCH_OPERATORS
    )


def _picture(height: int, width: int) -> TensorSpec:
    return TensorSpec("picture", "picture", (BATCH, 3, height, width), range=SIGNED)


def _strokes(height: int, width: int) -> TensorSpec:
    return TensorSpec("strokes", "strokes", (BATCH, 3, height // FOLD, width // FOLD), range=SIGNED)
