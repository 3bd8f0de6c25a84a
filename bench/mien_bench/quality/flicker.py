"""Flicker: what an answer does from frame to frame that neither its motion nor the truth explains."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.crop import SIDE
from mien.plane import placed
from mien.reenact.mesh import mesh_triangles
from mien_bench.quality.bootstrap import mean_of
from mien_bench.quality.picture import luma
from mien_bench.quality.regions import averages, crop_of, cut, regions_of
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


def flicker(frames: Sequence[Pixels], landmarks: Sequence[Array], portrait: Array) -> Array:
    """(6,): energy of the temporal high-pass in squared grey levels, per region, over consecutive frames.

    Each frame is compared with the mean of its two neighbours, carried to it by the flow between their landmarks
    (478, 3), in a crop that stands still; what changes evenly, or moves with the face, has none.

    Args:
        frames: at least 3, (H, W, 3).
        portrait: (478, 3), landmarks of the portrait, for the regions.
    """
    matrix = crop_of(landmarks[0])
    size = frames[0].shape[1], frames[0].shape[0]
    crops = [luma(cut(frame, matrix))[..., None] for frame in frames]
    points = [placed(one, matrix) for one in landmarks]
    rows = []
    for now in range(1, len(frames) - 1):
        around = [ops.flow_warp(crops[i], _flow(points[now], points[i])) for i in (now - 1, now + 1)]
        left = crops[now] - (around[0] + around[1]) / 2
        regions = regions_of(landmarks[now], portrait, matrix, size)
        rows.append(averages(np.square(left[..., 0]), regions))
    return mean_of(np.array(rows))


def _flow(target: Array, source: Array) -> Floats:
    """(SIDE, SIDE, 2): where in the crop with `source` each place of the one with `target` lies; (478, 3) each."""
    skin = slice(0, topology.SKIN_COUNT)
    flow, _ = ops.rasterize_flow(
        target[skin].astype(np.float32), source[skin, :2].astype(np.float32), _skin_triangles(), size=(SIDE, SIDE)
    )
    return flow


@lru_cache(maxsize=1)
def _skin_triangles() -> NDArray[np.int32]:
    """(T, 3): the mesh without its rings."""
    triangles = mesh_triangles()
    return np.ascontiguousarray(triangles[(triangles < topology.SKIN_COUNT).all(axis=1)])
