"""The two graphs of the thesis's networks."""

from __future__ import annotations

from typing import Final

from mien.face.topology import PARTS
from mien.manifest import TensorSpec
from mien.manifest.bundle import BATCH
from mien_export.graphs.traced import Traced
from mien_export.models.paper.graphs import PaperGraphs
from mien_export.models.paper.sizes import SIZES, PaperSize
from mien_export.spade_onnx import DOMAIN, OPERATOR

KIND: Final = "oneshot-paper"
OPERATORS: Final = frozenset(
    {
        *("Abs", "Add", "AveragePool", "Cast", "Clip", "Concat", "Conv", "ConvTranspose", "Greater"),
        *("InstanceNormalization", "LeakyRelu", "Max", "Mul", "ReduceMax", "ReduceSum", "Relu", "Slice", "Split"),
        *("Squeeze", "Sub", "Tanh", "Unsqueeze", "Identity", "Expand", "Reshape", "Constant", f"{DOMAIN}::{OPERATOR}"),
    }
)
"""The last is a function made of standard ones: TensorRT may give it to our plug-in."""


def paper_graphs(networks: PaperGraphs, size: str) -> tuple[Traced, Traced]:
    """Appearance and generator of networks of this size."""
    paper = SIZES[size]
    features = (TensorSpec("latent", "latent", (BATCH, paper.latent, 1, 1)), *_features(paper))
    parsing = () if networks.background else (_crop("portrait_parsing", len(PARTS), paper.side),)
    appearance = Traced(
        "appearance", networks.appearance, (_crop("picture", 3, paper.side), *parsing), features, OPERATORS
    )
    generator = Traced(
        "generator",
        networks.generator,
        (*features, _crop("parsing", len(PARTS), paper.side), _crop("warped", 3, paper.side)),
        (_crop("generated", 3, paper.side), _crop("mask", 1, paper.side)),
        OPERATORS,
    )
    return appearance, generator


def _features(size: PaperSize) -> tuple[TensorSpec, ...]:
    """F's maps are of the portrait as it lies; D brings them to the target's shape."""
    return tuple(TensorSpec(f"f{r}", "feature", (BATCH, channels, r, r)) for r, channels in size.features)


def _crop(role: str, channels: int, side: int) -> TensorSpec:
    """A tensor as large as the crop, called as its role."""
    return TensorSpec(role, role, (BATCH, channels, side, side), range=ROLES[role].range)
