"""The two graphs of the live networks."""

from __future__ import annotations

from typing import Final

from mien.face.crop import SIDE
from mien.face.parts import PARTS
from mien.manifest import TensorSpec
from mien.manifest.bundle import BATCH
from mien.manifest.roles import ROLES
from mien_export.graphs.lean import lean
from mien_export.graphs.traced import Traced
from mien_export.models.live.sizes import SIZES, LiveSize
from mien_export.train.live import LiveNetworks

KIND: Final = "oneshot-live"
OPERATORS: Final = frozenset(
    {
        *("Add", "AveragePool", "Clip", "Concat", "Conv", "DepthToSpace", "Mul", "Relu", "Resize", "Sigmoid", "Slice"),
        *("SpaceToDepth", "Tanh"),
    }
)
"""Each runs on ONNX Runtime, OpenVINO and TensorRT without a plug-in."""


def live_graphs(networks: LiveNetworks, size: str) -> tuple[Traced, Traced]:
    """Appearance and generator of networks of this size."""
    features = _features(SIZES[size])
    appearance = Traced(
        "appearance",
        lean(networks.appearance),
        (_crop("picture", 3), _crop("portrait_parsing", len(PARTS))),
        features,
        OPERATORS,
    )
    generator = Traced(
        "generator",
        lean(networks.generator),
        (*features, _parsing(SIZES[size]), _crop("warped", 3), _crop("hint", 3)),
        (_crop("generated", 3), _crop("mask", 1)),
        OPERATORS,
    )
    return appearance, generator


def _features(size: LiveSize) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(f"f{r}", "feature", (BATCH, channels, _places(r), _places(r)), warped=True)
        for r, channels in size.features
    )


def _parsing(size: LiveSize) -> TensorSpec:
    """As fine as the finest level: the generator would take its means over such cells at once."""
    finest = _places(size.levels[-1].resolution)
    return TensorSpec("parsing", "parsing", (BATCH, len(PARTS), finest, finest), range=ROLES["parsing"].range)


def _places(resolution: int) -> int:
    return SIDE * resolution // 256


def _crop(role: str, channels: int) -> TensorSpec:
    """A tensor as large as the crop, called as its role."""
    return TensorSpec(role, role, (BATCH, channels, SIDE, SIDE), range=ROLES[role].range)
