"""The common shape of two portraits at a degree between them: landmarks, pose, and where both meshes go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import FaceError
from mien.face import topology
from mien.face.pose import Angles, Similarity, angles_of, rotation_of
from mien.portrait.portrait import Portrait
from mien.reenact.mesh import SKIN, Mesh, mesh_of
from mien.reenact.target import Target

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

OVAL: Final = np.array(topology.OVAL)
FARTHEST: Final = 35.0
"""Degrees between two heads' directions beyond which too much of what one picture shows is hidden in the other."""
STRETCH: Final = 1.3
"""How much an end's rings around the face are stretched or squeezed towards the common outline at most: more, and the
edge of a face would become a broad band where the other end has long hair."""
OUTSIDE: Final = 5.0
"""Size of the ring that lets a mesh cover all of a picture, relative to the mesh's own last ring."""


@dataclass(frozen=True, slots=True, eq=False)
class CommonShape:
    """The shape of a morph."""

    target: Target
    """Un-posed shape, pose and landmarks: what both pictures are warped to."""
    rest: Array
    """(478, 3): as `Portrait.rest`; `relaxed` as `Portrait.relaxed`."""
    relaxed: Array
    vertices: tuple[Floats, Floats]
    """(V, 3) of each end's mesh, in pixels of the picture."""


class CommonShapes:
    """Callable (degree) -> the common shape of two portraits of one size."""

    def __init__(self, first: Portrait, second: Portrait) -> None:
        """Both have layers, or neither has."""
        self._ends = first, second
        self.meshes: tuple[Mesh, Mesh] = mesh_of(first), mesh_of(second)

    def __call__(self, degree: float) -> CommonShape:
        """`degree`: 0 is the first portrait's shape, 1 the second's."""
        first, second = self._ends
        shape = between(first.shape, second.shape, degree)
        pose = pose_between(first.pose, second.pose, degree)
        rings = between(self.meshes[0].rings, self.meshes[1].rings, degree)
        landmarks = pose.apply(shape)
        vertices = []
        for end, mesh in zip(self._ends, self.meshes, strict=True):
            placed = np.empty((SKIN + len(rings), 3), np.float32)
            placed[:SKIN] = landmarks[:SKIN]
            placed[SKIN:] = pose.apply(_held(mesh.rings, end.shape[OVAL], rings, shape[OVAL]))
            vertices.append(placed)
        return CommonShape(
            Target(shape, pose, landmarks),
            between(first.rest, second.rest, degree),
            between(first.relaxed, second.relaxed, degree),
            (vertices[0], vertices[1]),
        )


def between(first: Array, second: Array, degree: float) -> Array:
    """The weighted mean of two arrays of one shape."""
    return np.asarray((1 - degree) * first + degree * second)


def pose_between(first: Similarity, second: Similarity, degree: float) -> Similarity:
    """Angles and position between those of two poses; the size between them geometrically."""
    one, other = angles_of(first.rotation), angles_of(second.rotation)
    yaw, pitch, roll = (
        (1 - degree) * a + degree * b
        for a, b in ((one.yaw, other.yaw), (one.pitch, other.pitch), (one.roll, other.roll))
    )
    translation = between(first.translation, second.translation, degree)
    return Similarity(
        rotation_of(Angles(yaw, pitch, roll)), translation, first.scale ** (1 - degree) * second.scale**degree
    )


def need_alike(first: Portrait, second: Portrait) -> None:
    """Refuse portraits whose heads look in too different directions.

    Raises:
        FaceError: they do.
    """
    turn = angles_of(first.pose.rotation.T @ second.pose.rotation)
    apart = float(np.hypot(turn.yaw, turn.pitch))
    if apart > FARTHEST:
        raise FaceError(
            f"morph: expected heads turned at most {FARTHEST:.0f} degrees apart, got {apart:.0f}; "
            "take two pictures that look in about the same direction"
        )


def covering(vertices: Floats) -> Floats:
    """Vertices (V, 2 or 3) of a mesh and of one more ring far outside, so that it covers all of a picture."""
    last = vertices[-len(OVAL) :]
    far = last.copy()
    middle = last[:, :2].mean(axis=0)
    far[:, :2] = middle + np.float32(OUTSIDE) * (last[:, :2] - middle)
    return np.concatenate([vertices, far])


def _held(own: Array, own_contour: Array, common: Array, contour: Array) -> Array:
    """(R, 3): rings of one end at the common outline, as far as that does not stretch or squeeze them too much.

    All un-posed: the end's rings (R, 3) and contour (36, 3), and the common ones.
    """
    ways = own.reshape(-1, len(OVAL), 3) - own_contour
    wanted = common.reshape(ways.shape) - contour
    length = np.maximum(np.hypot(ways[..., 0], ways[..., 1]), 1e-6)
    asked = np.hypot(wanted[..., 0], wanted[..., 1]) / length
    held = np.clip(asked, 1 / STRETCH, STRETCH)
    wanted *= (held / np.maximum(asked, 1e-6))[..., None]
    return np.asarray((wanted + contour).reshape(-1, 3))
