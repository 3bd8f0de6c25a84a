"""People as one normal distribution: shape, regions around the face, texture, colours and traits belong together.

Principal components of each block, and the covariance of all their coefficients. A mixture, which is a standard normal
vector, gives somebody who is none of those that the distribution was learnt from; to ask for traits is to condition it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien.errors import SettingError
from mien.face import topology
from mien.face.traits import INDEX, TRAITS
from mien.machine.atomic import written
from mien.nobody.drawing import GRID, REGIONS, TEXTURE, MeanFace, Person

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

SHAPES: Final = 24
SURROUNDINGS: Final = 24
TEXTURES: Final = 40
COLOURS: Final = 12
"""Numbers of coefficients of the blocks; the traits are the last one."""
LENGTH: Final = SHAPES + SURROUNDINGS + TEXTURES + COLOURS + len(TRAITS)
"""Of a mixture."""
SHRUNK: Final = 0.02
"""Share of the variances that is added to the covariance as if nothing belonged together."""
BRIGHTEST: Final = 2.5
"""Of a texture, relative to the skin."""


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """A mean and directions."""

    mean: Floats
    """(D,)."""
    axes: Floats
    """(K, D), orthonormal."""

    def coefficients(self, rows: Floats) -> Floats:
        """(N, K) of (N, D)."""
        return np.asarray((rows - self.mean) @ self.axes.T, np.float32)

    def __call__(self, coefficients: Floats) -> Floats:
        """(D,) of (K,)."""
        return np.asarray(self.mean + coefficients @ self.axes, np.float32)


def principal(rows: Floats, count: int) -> Basis:
    """The first principal directions of (N, D); those beyond the rank of the rows are 0."""
    mean = rows.mean(axis=0)
    centred = rows - mean
    wide = len(rows) < rows.shape[1]
    gram = centred @ centred.T if wide else centred.T @ centred
    vectors = np.linalg.eigh(gram.astype(np.float64))[1][:, ::-1][:, :count].T.astype(np.float32)
    found = vectors @ centred if wide else vectors
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    axes = np.zeros((count, rows.shape[1]), np.float32)
    axes[: len(found)] = np.where(lengths > 1e-4 * lengths.max(), found / np.maximum(lengths, 1e-9), 0)
    return Basis(mean.astype(np.float32), axes)


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The distribution."""

    shape: Basis
    """Of landmarks (478 * 3), in pixels of a view of side 256."""
    surroundings: Basis
    """Of regions (7 * 64 * 64)."""
    texture: Basis
    """Of square roots of textures (144 * 112 * 3) that are relative to the skin's colour."""
    mean: Floats
    """(L,): of all coefficients, one block after the other."""
    factor: Floats
    """(L, L): of the coefficients' covariance, so that mean + factor @ mixture is somebody."""

    @property
    def frame(self) -> MeanFace:
        """Of textures."""
        return MeanFace.of(self.shape.mean.reshape(-1, 3).astype(np.float64))

    def person(self, mixture: Floats) -> Person:
        """Somebody, of a mixture (L,)."""
        shape, regions, texture, colours, traits = split(self.mean + self.factor @ mixture)
        return Person(
            self.shape(shape).reshape(topology.COUNT, 3).astype(np.float64),
            self.surroundings(regions).reshape(len(REGIONS), GRID, GRID),
            self.face(texture),
            np.clip(colours.reshape(-1, 3), 0, 1),
            traits,
        )

    def tensors(self) -> dict[str, Tensor]:
        """All arrays, as checkpoints keep them."""
        return {name: torch.from_numpy(array) for name, array in _arrays(self).items()}

    @classmethod
    def of(cls, arrays: Mapping[str, Any]) -> People:
        """Of arrays or tensors by the names of `tensors`.

        Raises:
            KeyError: one is missing.
        """
        own = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
        bases = {name: Basis(own[f"{name}_mean"], own[f"{name}_axes"]) for name in _BASES}
        return cls(**bases, mean=own["mean"], factor=own["factor"])

    def face(self, coefficients: Floats) -> Floats:
        """(144, 112, 3): the texture of coefficients (40,)."""
        roots = np.clip(self.texture(coefficients), 0, np.sqrt(BRIGHTEST))
        return np.asarray(np.square(roots).reshape(*TEXTURE, 3), np.float32)

    def drawn(self, rng: np.random.Generator, strength: float = 0.9) -> Person:
        """Somebody at random, who wears glasses wholly or not at all."""
        made = self.person((strength * rng.standard_normal(LENGTH)).astype(np.float32))
        made.traits[INDEX["glasses"]] = float(made.glasses)
        return made


def split(row: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """The blocks of coefficients (L,): shape, surroundings, texture, colours, traits."""
    ends = np.cumsum([SHAPES, SURROUNDINGS, TEXTURES, COLOURS])
    a, b, c, d, e = np.split(row, ends)
    return a, b, c, d, e


def joined(rows: Floats) -> tuple[Floats, Floats]:
    """Mean (L,) and factor (L, L) of coefficients (N, L)."""
    mean = rows.mean(axis=0)
    covariance = np.cov(rows.astype(np.float64), rowvar=False)
    covariance = (1 - SHRUNK) * covariance + SHRUNK * np.diag(np.diag(covariance)) + 1e-9 * np.eye(len(covariance))
    values, vectors = np.linalg.eigh(covariance)
    factor = vectors * np.sqrt(np.maximum(values, 0))
    return mean.astype(np.float32), factor.astype(np.float32)


_BASES: Final = ("shape", "surroundings", "texture")


def _arrays(people: People) -> dict[str, Floats]:
    arrays = {"mean": people.mean, "factor": people.factor}
    for name in _BASES:
        basis: Basis = getattr(people, name)
        arrays |= {f"{name}_mean": basis.mean, f"{name}_axes": basis.axes}
    return arrays


def save(path: Path, people: People) -> None:
    """Write the distribution."""
    arrays: dict[str, Any] = dict(_arrays(people))
    with written(path) as file:
        np.savez(file, **arrays)


def load(path: Path) -> People:
    """What `save` wrote.

    Raises:
        SettingError: it is missing or broken.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            return People.of({name: data[name] for name in data.files})
    except (OSError, ValueError, KeyError) as error:
        raise SettingError(f"{path} is no file of people ({error}); mien export people makes one") from error
