"""A family of its own kind: one graph on the portrait's picture and landmark heat maps; nothing once, no mask."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.manifest.family import SIGNED, UNIT, Family, GraphRule, Port
from mien.paint import fillers
from mien.paint.scene import Scene

SIDE: Final = 64
POINTS: Final = np.array([*topology.OVAL[::6], *topology.OUTER_LIPS[::5], 1, 33, 263, 159, 386])
"""Landmarks that have a heat map each."""
SPREAD: Final = 2.0
"""Standard deviation of a heat map in pixels."""
PICTURE: Final = Port("picture", 3, "crop", SIGNED)
HEAT: Final = Port("heat_maps", len(POINTS), "crop", UNIT)
GENERATED: Final = Port("generated", 3, "crop", SIGNED)
HEAT_TOY: Final = Family("heat-toy", (GraphRule("generator", "frame", (PICTURE, HEAT), (GENERATED,)),))


def heat_maps(landmarks: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """(points, side, side) in 0..1: a Gaussian around each of `POINTS` of landmarks (478, 2 or 3) in pixels."""
    places = np.arange(side)
    x, y = (np.exp(-0.5 * ((places - landmarks[POINTS, axis, None]) / SPREAD) ** 2) for axis in (0, 1))
    return np.asarray(y[:, :, None] * x[:, None, :], dtype=np.float32)


class HeatMaps:
    """Fills the role `heat_maps` for every frame."""

    def __init__(self, port: fillers.InputPort) -> None:
        self._into = port.array[0]

    def __call__(self, scene: Scene) -> None:
        self._into[...] = heat_maps(scene.landmarks, self._into.shape[-1])
