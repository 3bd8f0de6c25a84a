"""An avatar maker as graphs: traits and colours of a mixture, somebody's face and surroundings, and a portrait."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from mien.face import topology
from mien.face.classes import CLASSES
from mien.face.traits import TRAITS
from mien.manifest import TensorSpec
from mien.manifest.bundle import BATCH
from mien.manifest.family import SIGNED, UNIT
from mien.nobody.drawing import GRID, REGIONS, TEXTURE
from mien_export.families.scgan import people as distribution
from mien_export.families.scgan.network import Scgan
from mien_export.families.scgan.people import Basis, People
from mien_export.families.spade_video.code import COLOURS, LENGTH
from mien_export.graphs.tracing import Traced
from mien_export.graphs.weight_bytes import with_weights_in_bytes

LOOKS, PEOPLE, PORTRAIT = "looks", "people", "portrait"
LOOKS_OPERATORS: Final = frozenset({"Add", "Gemm", "MatMul", "Slice", "Split"})
PEOPLE_OPERATORS: Final = frozenset({*LOOKS_OPERATORS, "Cast", "Clip", "Mul", "Reshape", "Transpose"})
PORTRAIT_OPERATORS: Final = frozenset(
    {
        *(
            "Add",
            "AveragePool",
            "Cast",
            "Concat",
            "Conv",
            "Expand",
            "Gemm",
            "LeakyRelu",
            "MatMul",
            "Mul",
            "Reshape",
            "Resize",
        ),
        *("Slice", "Split", "Sub", "Tanh", "Unsqueeze"),
    }
)
ROOT: Final = distribution.BRIGHTEST**0.5
"""Of the brightest that a texture may be."""
_ENDS: Final = np.cumsum([distribution.SHAPES, distribution.SURROUNDINGS, distribution.TEXTURES]).tolist()


class Looks(nn.Module):
    """Traits (N, 9) and tones (N, 12), which are the four colours, of mixtures (N, L)."""

    mean: Tensor
    factor: Tensor

    def __init__(self, people: People) -> None:
        super().__init__()
        first = _ENDS[-1]
        self.register_buffer("mean", torch.from_numpy(people.mean[first:]))
        self.register_buffer("factor", torch.from_numpy(np.ascontiguousarray(people.factor[first:].T)))

    def forward(self, mixture: Tensor) -> tuple[Tensor, Tensor]:
        """Both are linear."""
        looks = self.mean + mixture @ self.factor
        return looks[:, distribution.COLOURS :], looks[:, : distribution.COLOURS]


class Faces(nn.Module):
    """Landmarks (N, 1434), regions (N, 7, 64, 64) and textures (N, 3, 144, 112) of mixtures (N, L)."""

    mean: Tensor
    factor: Tensor

    def __init__(self, people: People) -> None:
        super().__init__()
        last = _ENDS[-1]
        self.register_buffer("mean", torch.from_numpy(people.mean[:last]))
        self.register_buffer("factor", torch.from_numpy(np.ascontiguousarray(people.factor[:last].T)))
        self.shape = Kept(people.shape)
        self.surroundings = Kept(people.surroundings)
        self.texture = Kept(people.texture)

    def forward(self, mixture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """In pixels of a view of side 256; textures relative to the skin's colour."""
        whole = self.mean + mixture @ self.factor
        shape, regions, texture = (
            part for part in torch.split(whole, [_ENDS[0], _ENDS[1] - _ENDS[0], _ENDS[2] - _ENDS[1]], 1)
        )
        roots = self.texture(texture).clamp(0.0, ROOT)
        faces = (roots * roots).reshape(-1, *TEXTURE, 3).permute(0, 3, 1, 2)
        return self.shape(shape), self.surroundings(regions).reshape(-1, len(REGIONS), GRID, GRID), faces


class Kept(nn.Module):
    """A basis whose directions are kept in bytes, each with a scale of its own: a quarter of the file."""

    mean: Tensor
    axes: Tensor
    scales: Tensor

    def __init__(self, basis: Basis) -> None:
        super().__init__()
        axes = torch.from_numpy(basis.axes)
        scales = axes.abs().amax(1, keepdim=True) / 127
        self.register_buffer("mean", torch.from_numpy(basis.mean).half())
        self.register_buffer("axes", (axes / scales).round().to(torch.int8))
        self.register_buffer("scales", scales[:, 0])

    def forward(self, coefficients: Tensor) -> Tensor:
        """(N, D) of (N, K)."""
        return self.mean.float() + (coefficients * self.scales) @ self.axes.float()


class Portrait(nn.Module):
    """The generator with its weights in bytes, and its inputs in the contract's order."""

    def __init__(self, network: Scgan) -> None:
        super().__init__()
        self.generator = with_weights_in_bytes(network.generator)

    def forward(self, classes: Tensor, painted: Tensor, styles: Tensor, traits: Tensor, noise: Tensor) -> Tensor:
        """(N, 3, S, S) in -1..1."""
        picture: Tensor = self.generator(classes, painted, styles, traits, noise)
        return picture


class PlainPortrait(Portrait):
    """The same without a painted map: the classes' colours are attributes."""

    def forward(self, classes: Tensor, styles: Tensor, traits: Tensor, tones: Tensor, noise: Tensor) -> Tensor:  # type: ignore[override]
        """(N, 3, S, S) in -1..1; `tones`: (N, 57), of all classes."""
        picture: Tensor = self.generator(classes, classes[:, :3], styles, torch.cat([traits, tones], 1), noise)
        return picture


def graphs_of(network: Scgan, people: People) -> tuple[Traced, ...]:
    """All three, in the family's order."""
    size = network.size
    side = size.side
    mixture = _vector("mixture", distribution.LENGTH)
    traits = _vector("traits", len(TRAITS))
    classes = TensorSpec("classes", "classes", (BATCH, len(CLASSES), side, side), range=UNIT)
    painted = TensorSpec("painted", "painted", (BATCH, 3, side, side), range=SIGNED)
    styles = _vector("styles", size.layers * LENGTH)
    noise = TensorSpec("noise", "noise", (BATCH, 1, side, side))
    made = TensorSpec("generated", "generated", (BATCH, 3, side, side), range=SIGNED)
    landmarks = _vector("landmarks", topology.COUNT * 3)
    regions = TensorSpec("regions", "regions", (BATCH, len(REGIONS), GRID, GRID))
    texture = TensorSpec("texture", "texture", (BATCH, 3, *TEXTURE))
    given = (
        (classes, painted, styles, traits, noise)
        if size.hybrid
        else (classes, styles, traits, _vector("tones", COLOURS), noise)
    )
    module = Portrait(network) if size.hybrid else PlainPortrait(network)
    tones = _vector("tones", distribution.COLOURS)
    return (
        Traced(LOOKS, Looks(people), (mixture,), (traits, tones), LOOKS_OPERATORS),
        Traced(PEOPLE, Faces(people), (mixture,), (landmarks, regions, texture), PEOPLE_OPERATORS),
        Traced(PORTRAIT, module, given, (made,), PORTRAIT_OPERATORS),
    )


def _vector(role: str, length: int) -> TensorSpec:
    return TensorSpec(role, role, (BATCH, length))
