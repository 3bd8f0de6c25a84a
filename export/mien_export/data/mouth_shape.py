"""The inner mouth as a mesh: teeth, gums, palate and tongue, in the frame of the canonical face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien_export.data.ict import LOWER_TEETH, PARTS, Ict, ict_to_canonical

Floats = NDArray[np.float32]

PALATE, GUM, TONGUE, TOOTH = 0.0, 1.0, 2.0, 4.0
"""Codes of stuff: soft parts pass from one into the next; a tooth's code is TOOTH plus its way from root to edge."""
ARCH: Final = (5.5, 2.55, 4.6)
"""The ellipse of the lower teeth seen from above: z of its middle, half width, half depth, in centimetres."""
TONGUE_EDGE: Final = (0.70, 0.86)
"""Distances from the arch's middle, as a share of the arch, between which tongue passes into gum."""
TIP_FROM: Final = 7.0
"""Centimetres of depth in front of which the tongue is free to move."""
EDGE_SHOWN: Final = 0.95
"""Centimetres of a tooth that stand out of the gum, about."""


@dataclass(frozen=True, slots=True, eq=False)
class MouthShape:
    """A mesh with V vertices. Units are the canonical face's: x right, y down, z away."""

    points: Floats
    """(V, 3) with the teeth shut."""
    jaw: Floats
    """(V, 3): the way of each vertex as the jaw opens fully."""
    normals: Floats
    """(2, V, 3): outward and of length 1, at a shut and at an open jaw."""
    stuff: Floats
    """(V,): see `TOOTH`."""
    tongue: Floats
    """(V,) in 0..1: how far a vertex goes along with the tongue's tip."""
    triangles: NDArray[np.int32]
    """(T, 3)."""

    def opened(self, jaw: float, tongue: tuple[float, float]) -> tuple[Floats, Floats]:
        """(V, 3) points and normals with the jaw open by `jaw` 0..1, the tongue raised and put out by `tongue`."""
        lift, out = tongue
        way = self.tongue[:, None] * np.array([0.0, -lift, -out], np.float32)
        normals = self.normals[0] * np.float32(1 - jaw) + self.normals[1] * np.float32(jaw)
        return self.points + np.float32(jaw) * self.jaw + way, normals


def mouth_shape(ict: Ict) -> MouthShape:
    """The inner mouth of the ICT model."""
    first, last = PARTS["gums"][0], PARTS["teeth"][1]
    neutral, jaw = ict.neutral[first:last], ict.expression("jawOpen")[first:last]
    triangles = ict.triangles("gums", "teeth") - first
    frame = ict_to_canonical(ict)
    turn = (frame.scale * frame.rotation.T).astype(np.float32)
    soft = slice(0, PARTS["gums"][1] - first)
    tongue = _tongue(neutral, jaw)
    tongue[soft.stop :] = 0.0
    stuff = np.where(jaw[:, 1] > -0.05, PALATE, GUM) + tongue * (TONGUE - GUM)
    stuff[soft] = np.where(_on_ridge(neutral[soft]), np.maximum(stuff[soft], GUM), stuff[soft])
    stuff[soft.stop :] = TOOTH + _way_to_edge(neutral, first)[soft.stop :]
    free = tongue * np.clip((neutral[:, 2] - TIP_FROM) / 2.5, 0.0, 1.0)
    normals = [normals_of(neutral + w * jaw, triangles) @ (turn / frame.scale) for w in (0.0, 1.0)]
    return MouthShape(
        frame.apply(neutral.astype(np.float64)).astype(np.float32),
        jaw @ turn,
        np.stack(normals).astype(np.float32),
        stuff.astype(np.float32),
        free.astype(np.float32),
        triangles,
    )


def normals_of(points: Floats, triangles: NDArray[np.int32]) -> Floats:
    """(V, 3): normals of length 1, means over the triangles around each vertex."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    faces = np.cross(b - a, c - a)
    total = np.stack(
        [sum(np.bincount(triangles[:, k], faces[:, axis], len(points)) for k in range(3)) for axis in range(3)],
        axis=1,
    )
    return np.asarray(total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-9), dtype=np.float32)


def _from_arch(points: Floats) -> Floats:
    middle, wide, deep = ARCH
    return np.asarray(np.hypot(points[:, 0] / wide, (points[:, 2] - middle) / deep), dtype=np.float32)


def _tongue(points: Floats, jaw: Floats) -> Floats:
    """(V,): 1 on the tongue, 0 on what lies outside of the lower arch and above the jaw."""
    low, high = TONGUE_EDGE
    share = np.clip((high - _from_arch(points)) / (high - low), 0.0, 1.0)
    return np.asarray(share * np.clip(-jaw[:, 1] / 0.5, 0.0, 1.0), dtype=np.float32)


def _on_ridge(points: Floats) -> NDArray[np.bool_]:
    return np.asarray(_from_arch(points) > TONGUE_EDGE[1])


def _way_to_edge(points: Floats, first: int) -> Floats:
    """(V,): for teeth, 0 at the gum .. 0.95 at the biting edge."""
    lower = LOWER_TEETH - first
    height = points[:, 1]
    out = np.zeros(len(points), np.float32)
    upper_edge = np.interp(np.abs(points[:, 0]), (0.0, 1.5, 3.0), (-3.5, -3.4, -3.1))
    lower_edge = np.interp(np.abs(points[:, 0]), (0.0, 1.5, 3.0), (-3.4, -3.3, -3.0))
    out[:lower] = 1 - (height - upper_edge)[:lower] / EDGE_SHOWN
    out[lower:] = 1 - (lower_edge - height)[lower:] / EDGE_SHOWN
    return np.clip(out, 0.0, 0.95)
