"""The morph of portraits that could not be taken apart: whole pictures, warped to the common shape and cross-faded."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.draw.eyes import Eyes
from mien.morphing.shape import CommonShape, covering
from mien.portrait.portrait import Portrait
from mien.reenact.mesh import Mesh, mesh_triangles
from mien_kernels import ops

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


def blended_whole(
    made: Portrait, ends: tuple[Portrait, Portrait], meshes: tuple[Mesh, Mesh], common: CommonShape, degree: float
) -> Portrait:
    """`made`, which has the common shape, with the pixels of both `ends` in that shape; matte and background where both
    have them."""
    width, height = made.size
    flows = []
    for vertices, mesh in zip(common.vertices, meshes, strict=True):
        triangles = mesh_triangles(mesh.loops + 1)
        texture = covering(mesh.texture(common.target))
        flows.append(ops.rasterize_flow(covering(vertices), texture, triangles, size=(height, width))[0])

    def faded(one: Pixels, other: Pixels) -> Pixels:
        pair = [ops.flow_warp(part, flow) for part, flow in zip((one, other), flows, strict=True)]
        return np.asarray(cv2.addWeighted(pair[0], 1 - degree, pair[1], degree, 0))

    pictures = [ops.flow_warp(end.pixels, flow) for end, flow in zip(ends, flows, strict=True)]
    for picture, end in zip(pictures, ends, strict=True):
        Eyes(end.pixels, end.landmarks)(common.target.landmarks, picture)
    pixels = np.asarray(cv2.addWeighted(pictures[0], 1 - degree, pictures[1], degree, 0))
    first, second = ends
    matte = background = skin = None
    if first.matte is not None and second.matte is not None:
        matte = faded(first.matte[..., None], second.matte[..., None]).reshape(height, width)
    if first.background is not None and second.background is not None:
        background = np.asarray(cv2.addWeighted(first.background, 1 - degree, second.background, degree, 0))
    if first.skin is not None and second.skin is not None:
        skin = faded(first.skin[..., None], second.skin[..., None]).reshape(height, width)
    if matte is None or background is None:
        matte = background = None
    return replace(made, pixels=pixels, matte=matte, background=background, skin=skin, layers=None)
