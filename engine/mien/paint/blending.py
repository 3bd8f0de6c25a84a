"""The appearance of a portrait between two others: their features, each warped to the common shape, blended.

So the graphs that run once per portrait run for the two ends alone, and not for each degree between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.face.crop import crop_matrix
from mien.paint.scene import Appearance, Subject
from mien.plane import Grid, placed
from mien.portrait.portrait import Portrait
from mien_kernels import ops

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class WarpedEnd:
    """One of two portraits in the common shape."""

    appearance: Appearance
    vertices: Floats
    """(V, 3): its mesh in the common shape, in pixels of the portrait between."""
    texture: Floats
    """(V, 2): the same in its own picture."""
    triangles: NDArray[np.int32]
    """(T, 3)."""


def blended_appearance(portrait: Portrait, ends: tuple[WarpedEnd, WarpedEnd], degree: float, side: int) -> Appearance:
    """The appearance of `portrait`, which is at `degree` between two ends, in a crop of `side` pixels."""
    first, second = (_features(portrait, end, side) for end in ends)
    features = {name: _mixed(first[name], second[name], degree) for name in first}
    one, other = (end.appearance.fixed for end in ends)
    fixed = {name: _mixed(one[name], other[name], degree) for name in one}
    return Appearance.of(Subject.of(portrait, side), features, fixed)


def _mixed(first: Floats, second: Floats, degree: float) -> Floats:
    out: Floats = first * np.float32(1 - degree)
    out += second * np.float32(degree)
    return out


def _features(portrait: Portrait, end: WarpedEnd, side: int) -> dict[str, Floats]:
    """By name, (h, w, C): an end's features as its mesh is moved to the common shape."""
    target = placed(end.vertices.astype(np.float64), crop_matrix(portrait.pose, side))
    source = placed(end.texture.astype(np.float64), end.appearance.subject.matrix).astype(np.float32)
    flows: dict[tuple[int, ...], Floats] = {}
    out = {}
    for name, feature in end.appearance.features.items():
        shape = feature.shape[:2]
        if shape not in flows:
            grid = Grid((side, side), (shape[0], shape[1]), shape[1] / side)
            cells = grid.cells(target.astype(np.float32))
            flow, _ = ops.rasterize_flow(cells, grid.cells(source), end.triangles, size=(shape[0], shape[1]))
            flows[shape] = flow
        out[name] = ops.flow_warp(feature, flows[shape])
    return out
