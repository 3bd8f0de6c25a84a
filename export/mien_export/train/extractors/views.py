"""Random views of each training face, to train small networks that are invariant to them.

Each photograph is rendered a few times with another expression and pose by the engine's own warp; light, colour,
sharpness, place and what surrounds the face are changed anew for every batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mien.errors import FaceError
from mien.face.crop import SIDE, crop_matrix
from mien.paint.parsing import parsing_map
from mien.plane import placed
from mien.portrait.portrait import Portrait
from mien_export.data.faces import Faces
from mien_export.data.pairs import crop, prepared, render
from mien_export.data.perturb import Perturbation, perturbed
from mien_export.train.extractors.own import INPUT, WINDOW

Array = NDArray[np.float64]

LOOK: Final = 128
"""Height and width of the kept crops."""
SAME_PERSON: Final = Perturbation(yaw=9.0, pitch=5.0, contour=0.0)
"""Anything that one person can do."""


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Renderings of faces in the generator's crop. n looks of F photographs, those of one photograph in a row."""

    pictures: Tensor
    """(F * n, 3, 128, 128) uint8."""
    faces: Tensor
    """(F * n, 1, 128, 128) uint8: 255 in the contour."""
    landmarks: Tensor
    """(F * n, 478, 2) float32: shares of the crop's side, 0 and 1 its edges."""
    people: Tensor
    """(F * n,) int64: who it is."""


def looks_of(faces: Faces, count: int, seed: int) -> Looks:
    """Each photograph as it is, and `count` - 1 renderings of it; what cannot be animated is left out."""
    names = {name: i for i, name in enumerate(sorted({faces.identity(i) for i in range(faces.count)}))}
    rows = []
    for index in range(faces.count):
        picture = faces.picture(index)
        rng = np.random.default_rng([seed, index])
        try:
            portrait = prepared(picture, faces.landmarks(index, picture.shape[0]))
            own = [_look(portrait, rng, still=i == 0) for i in range(count)]
        except FaceError:
            continue
        rows += [(*look, names[faces.identity(index)]) for look in own]
    pictures, masks, landmarks, people = (np.stack(column) for column in zip(*rows, strict=True))
    return Looks(*(torch.from_numpy(column) for column in (pictures, masks, landmarks, people)))


def _look(portrait: Portrait, rng: np.random.Generator, still: bool) -> tuple[NDArray[np.generic], ...]:
    pixels, pose, landmarks = portrait.pixels, portrait.pose, portrait.landmarks
    if not still:
        target = perturbed(portrait, rng, None, SAME_PERSON)
        pixels, pose, landmarks = render(portrait, target), target.pose, target.landmarks
    cell = SIDE // LOOK
    tiles = crop(pixels, crop_matrix(pose)).reshape(LOOK, cell, LOOK, cell, 3).mean(axis=(1, 3))
    matrix = crop_matrix(pose, LOOK)
    face = parsing_map(landmarks, matrix, (LOOK, LOOK))[:1]
    places = (placed(landmarks[:, :2], matrix) + 0.5) / LOOK
    return tiles.transpose(2, 0, 1).astype(np.uint8), (face * 255 + 0.5).astype(np.uint8), places.astype(np.float32)


def varied(looks: Looks, rows: Tensor, random: torch.Generator, mirror: bool = True) -> tuple[Tensor, Tensor]:
    """The faces of some looks, photographed anew: (N, 3, 64, 64) float32 in -1..1, the window that the networks see.

    The second is their landmarks (N, 478, 2), in shares of that window. mirror: whether half are mirrored.
    """
    whole = torch.cat([looks.pictures[rows], looks.faces[rows]], 1).float() / 255
    seen, landmarks = _placed(whole, looks.landmarks[rows], random, mirror)
    values = _surrounded(seen[:, :3], seen[:, 3:], random)
    values = _occluded(_softened(_lit(values, random), random), random)
    values = values + torch.randn(values.shape, generator=random) * _draw(random, len(values), 0.0, 0.04)
    return values.clamp(0, 1) * 2 - 1, landmarks


def _draw(random: torch.Generator, count: int, low: float, high: float) -> Tensor:
    """(count, 1, 1, 1), even between low and high."""
    return torch.rand(count, 1, 1, 1, generator=random) * (high - low) + low


def _surrounded(values: Tensor, inside: Tensor, random: torch.Generator) -> Tensor:
    """Half of them without what surrounds the face, a quarter before somebody else's background."""
    kind = torch.rand(len(values), 1, 1, 1, generator=random)
    other = values[torch.randperm(len(values), generator=random)]
    around = torch.where(kind < 0.5, torch.full_like(values, 0.5), torch.where(kind < 0.75, other, values))
    return values * inside + around * (1 - inside)


def _placed(values: Tensor, landmarks: Tensor, random: torch.Generator, mirror: bool) -> tuple[Tensor, Tensor]:
    """The window of crops turned by up to 6 degrees, scaled by 6 %, shifted by 6 % of it, half of them mirrored."""
    count = len(values)
    angle, zoom = _draw(random, count, -0.1, 0.1)[:, 0, 0], _draw(random, count, 0.94, 1.06)[:, 0, 0]
    flip = torch.where(torch.rand(count, 1, generator=random) < 0.5 * mirror, -1.0, 1.0)
    left, top, width = WINDOW
    cos, sin = angle.cos() * zoom * width, angle.sin() * zoom * width
    turn = torch.stack([torch.cat([cos * flip, -sin], 1), torch.cat([sin * flip, cos], 1)], 1)
    middle = 2 * torch.tensor([[left], [top]]) + width - 1
    place = middle + (torch.rand(count, 2, 1, generator=random) - 0.5) * 0.24 * width
    grid = F.affine_grid(torch.cat([turn, place], 2), [count, values.shape[1], INPUT, INPUT], align_corners=False)
    moved = F.grid_sample(values, grid, padding_mode="border", align_corners=False)
    centred = landmarks * 2 - 1 - place.transpose(1, 2)
    return moved, (centred @ torch.linalg.inv(turn).transpose(1, 2) + 1) / 2


def _lit(values: Tensor, random: torch.Generator) -> Tensor:
    """Another exposure, tint, saturation, and a lamp from one side."""
    count = len(values)
    values = values.clamp(min=1e-3) ** _draw(random, count, 0.6, 1.6)
    values = values * torch.exp((torch.rand(count, 3, 1, 1, generator=random) - 0.5) * 0.4)
    grey = values.mean(1, keepdim=True)
    values = grey + (values - grey) * _draw(random, count, 0.0, 1.5)
    ramp = torch.linspace(-1, 1, values.shape[-1])
    across, along = _draw(random, count, -0.4, 0.4), _draw(random, count, -0.4, 0.4)
    values = values * (1 + across * ramp[None, None, None] + along * ramp[None, None, :, None])
    return 0.5 + (values - 0.5) * _draw(random, count, 0.6, 1.3) + _draw(random, count, -0.12, 0.12)


def _softened(values: Tensor, random: torch.Generator) -> Tensor:
    """A quarter of the batch at half of the resolution."""
    some = torch.randperm(len(values), generator=random)[: len(values) // 4]
    out = values.clone()
    out[some] = F.interpolate(F.avg_pool2d(values[some], 2), scale_factor=2.0, mode="bilinear", align_corners=False)
    return out


def _occluded(values: Tensor, random: torch.Generator) -> Tensor:
    """A flat box over a part of some."""
    side = values.shape[-1]
    at = torch.arange(side)
    middle = torch.rand(len(values), 2, 1, 1, generator=random) * side
    half = torch.rand(len(values), 2, 1, 1, generator=random) * side * 0.15
    half = half * (torch.rand(len(values), 1, 1, 1, generator=random) < 0.3)
    rows = (at[None, :, None] - middle[:, 0]).abs() < half[:, 0]
    columns = (at[None, None, :] - middle[:, 1]).abs() < half[:, 1]
    box = (rows & columns)[:, None]
    return torch.where(box, torch.rand(len(values), 3, 1, 1, generator=random), values)
