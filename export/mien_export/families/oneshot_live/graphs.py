"""Export graphs of the live networks, rewritten to the same function in fewer operations."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.face.crop import SIDE
from mien.face.topology import PARTS
from mien.manifest import TensorSpec
from mien.manifest.bundle import BATCH
from mien.manifest.families import ONESHOT
from mien.plane import Box
from mien_export.families.oneshot_live.networks import SIZES, LiveSize, Modulate
from mien_export.families.oneshot_live.step import LiveNetworks
from mien_export.graphs.tracing import Traced


class Factored(nn.Module):
    """relu(x * factor + beta): `Modulate` whose factor 1 + gamma has its 1 in the bias of the convolution.

    Equal but for rounding, and one pass over x less: on a CPU a modulation costs as much as its passes do.
    """

    def __init__(self, modulate: Modulate) -> None:
        super().__init__()
        self.factor, self.beta = copy.deepcopy(modulate.gamma), copy.deepcopy(modulate.beta)
        assert self.factor.bias is not None
        with torch.no_grad():
            self.factor.bias.add_(1)

    def forward(self, x: Tensor, parsing: Tensor) -> Tensor:
        """x (N, C, H, W), parsing feature (N, SHARED, H, W)."""
        return F.relu(x * self.factor(parsing) + self.beta(parsing))


def lean(module: nn.Module) -> nn.Module:
    """A copy of `module`, in evaluation mode, with every `Modulate` in it replaced by `Factored`."""
    out = copy.deepcopy(module).eval().requires_grad_(False)
    for parent in list(out.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Modulate):
                setattr(parent, name, Factored(child))
    return out


OPERATORS: Final = frozenset(
    {
        *("Add", "AveragePool", "Clip", "Concat", "Conv", "DepthToSpace", "Mul", "Relu", "Resize", "Sigmoid", "Slice"),
        *("SpaceToDepth", "Tanh"),
    }
)
"""Each runs on ONNX Runtime, OpenVINO and TensorRT without a plug-in."""
VIEW: Final = Box(48, 64, 160, 192)
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
        networks.appearance,
    )
    generator = Traced(
        "generator",
        lean(networks.generator),
        (*(_seen(feature) for feature in features), _parsing(SIZES[size]), _view("warped", 3), _view("hint", 3)),
        (_view("generated", 3), _view("mask", 1)),
        OPERATORS,
        networks.generator,
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
    whole = TensorSpec("parsing", "parsing", (BATCH, len(PARTS), finest, finest), range=ONESHOT.ranges["parsing"])
    return _seen(whole)


def _places(resolution: int) -> int:
    return SIDE * resolution // 256


def _crop(role: str, channels: int) -> TensorSpec:
    """A tensor as large as the crop, called as its role."""
    return TensorSpec(role, role, (BATCH, channels, SIDE, SIDE), range=ONESHOT.ranges[role])


def _view(role: str, channels: int) -> TensorSpec:
    """A tensor as large as the view, called as its role."""
    return _seen(_crop(role, channels))


def _seen(tensor: TensorSpec) -> TensorSpec:
    """A tensor of the crop, at any resolution, as large as the view is in it."""
    batch, channels, height, width = tensor.shape
    seen = (int(height) * VIEW.height // SIDE, int(width) * VIEW.width // SIDE)
    return replace(tensor, shape=(batch, channels, *seen))
