"""A face to draw in benches: the canonical one, at any size, with the mesh and the outlines that are in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.pose import Angles, Similarity, rotation_of
from mien.face.topology import canonical_face
from mien.portrait.portrait import Portrait
from mien.reenact.mesh import mesh_of
from mien.reenact.target import Target

OUTLINES = (
    topology.OVAL,
    topology.LEFT_BROW,
    topology.RIGHT_BROW,
    topology.LEFT_EYE,
    topology.RIGHT_EYE,
    topology.NOSE,
    topology.UPPER_LIP,
    topology.LOWER_LIP,
    topology.INNER_LIPS,
)


@dataclass(frozen=True, slots=True, eq=False)
class MovedMesh:
    """A portrait's mesh, and where it has turned to."""

    source: NDArray[np.float32]
    """(V, 2)."""
    target: NDArray[np.float32]
    """(V, 3)."""
    triangles: NDArray[np.int32]
    """(T, 3)."""


def portrait_of(size: int) -> Portrait:
    """The canonical face, looking at the viewer from a picture of `size` squared."""
    shape = canonical_face().points
    pose = Similarity(np.eye(3), np.array([0.5 * size, 0.42 * size, 0.0]), size * 0.3)
    pixels: NDArray[Any] = np.zeros((size, size, 3), np.uint8)
    return Portrait(pixels, pose.apply(shape), pose, shape, shape, None, None, "")


def turned_mesh(size: int) -> MovedMesh:
    """Its mesh, the head turned a little."""
    portrait = portrait_of(size)
    mesh = mesh_of(portrait)
    pose = Similarity(rotation_of(Angles(12.0, 5.0, 4.0)), portrait.pose.translation, portrait.pose.scale)
    target = Target(portrait.shape, pose, pose.apply(portrait.shape))
    return MovedMesh(mesh.source, np.ascontiguousarray(mesh.place(portrait, target)), mesh.triangles.copy())


def outlines(size: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Nine outlines of the face: points (N, 2) in pixels and starts (10,)."""
    plane = portrait_of(size).landmarks[:, :2]
    points = np.concatenate([plane[list(outline)] for outline in OUTLINES]).astype(np.float32)
    return points, np.cumsum([0, *(len(outline) for outline in OUTLINES)]).astype(np.int32)
