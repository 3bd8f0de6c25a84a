"""The two graphs of the live networks."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from mien.face.crop import SIDE, View
from mien.face.topology import PARTS
from mien.manifest import TensorSpec
from mien.manifest.bundle import BATCH
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
VIEW: Final = View(48, 64, 160, 192)
"""Of the crop: what lies outside is hair and surroundings, which nothing paints better than the warp does.

Leaving it out changes no region's error on unseen portraits, and spares half of the work. From cuts of 128 pixels,
which most of training sees, the networks know that a picture may end anywhere."""


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
        (*(_seen(feature) for feature in features), _parsing(SIZES[size]), _view("warped", 3), _view("hint", 3)),
        (_view("generated", 3), _view("mask", 1)),
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
    whole = TensorSpec("parsing", "parsing", (BATCH, len(PARTS), finest, finest), range=ROLES["parsing"].range)
    return _seen(whole)


def _places(resolution: int) -> int:
    return SIDE * resolution // 256


def _crop(role: str, channels: int) -> TensorSpec:
    """A tensor as large as the crop, called as its role."""
    return TensorSpec(role, role, (BATCH, channels, SIDE, SIDE), range=ROLES[role].range)


def _view(role: str, channels: int) -> TensorSpec:
    """A tensor as large as the view, called as its role."""
    return _seen(_crop(role, channels))


def _seen(tensor: TensorSpec) -> TensorSpec:
    """A tensor of the crop, at any resolution, as large as the view is in it."""
    batch, channels, height, width = tensor.shape
    seen = (int(height) * VIEW.height // SIDE, int(width) * VIEW.width // SIDE)
    return replace(tensor, shape=(batch, channels, *seen))
