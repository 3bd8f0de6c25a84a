"""Mouths of other people that are opened alike: what a driver is to a portrait of somebody else."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.draw.mouth import lips_of
from mien.face import topology
from mien_export.data.faces import Faces

Array = NDArray[np.float64]

INNER: Final = np.array(topology.INNER_LIPS)
PLACES: Final = np.array([-0.25, 0.0, 0.25])
"""Along the line of the corners, in mouth widths."""
ALIKE: Final = 0.05
"""Sum over `PLACES` of differences, in mouth widths, up to which two mouths are opened alike."""
NEAREST: Final = 8
"""Of which one is drawn."""


class OtherMouths:
    """Finds portraits of a folder by their opening. Pickles; openings are measured when first asked for."""

    def __init__(self, faces: Faces) -> None:
        self._faces = faces

    def draw(self, landmarks: Array, identity: str, rng: np.random.Generator) -> int | None:
        """A portrait of somebody else whose mouth is opened as that of landmarks (478, 2 or 3); None where none is."""
        far = np.abs(self._openings - opening(landmarks)).sum(axis=1) + np.where(self._people == identity, np.inf, 0.0)
        near = np.argsort(far, kind="stable")[:NEAREST]
        near = near[far[near] <= ALIKE]
        return int(rng.choice(near)) if len(near) else None

    @cached_property
    def _openings(self) -> Array:
        """(n, 3)."""
        return np.array([opening(self._faces.landmarks(index)) for index in range(self._faces.count)])

    @cached_property
    def _people(self) -> NDArray[np.str_]:
        return np.array([self._faces.identity(index) for index in range(self._faces.count)])


def opening(landmarks: Array) -> Array:
    """(3,): gaps of the inner lips of landmarks (478, 2 or 3) at `PLACES`, in mouth widths."""
    lips = lips_of(landmarks[INNER, :2])
    return np.asarray(np.interp(PLACES, *lips.lower) - np.interp(PLACES, *lips.upper))
