"""Lid and lip gaps of an un-posed face: measuring and setting them; the rest shape.

An offset carried from face to face leaves lids that do not quite close and lips that cross; so the gaps travel as
channels of their own and are set exactly on the target. Setting a gap moves the rim by the whole amount and the skin
around it by a falling share, which is linear in the change and precomputed on the canonical face.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.topology import canonical_face

Array = NDArray[np.float64]

UPPER_LIP_RIM: Final = np.array(topology.INNER_LIPS[1:10])
LOWER_LIP_RIM: Final = np.array(topology.INNER_LIPS[19:10:-1])
UPPER_LIDS: Final = np.array([eye[1:8] for eye in topology.EYES])
LOWER_LIDS: Final = np.array([eye[15:8:-1] for eye in topology.EYES])
"""(2, 7): facing points, from the outer to the inner corner."""

LIP_REACH, LID_REACH = 0.16, 0.055
"""Radius in eye distances in which the skin follows a rim."""
TOUCHING = 0.02
"""Gap in eye distances below which rims begin to meet in depth."""
LOWER_LIP_SHARE, UPPER_LID_SHARE = 0.65, 0.9
"""Share of the gap's change that the lower lip and the upper lid take."""
LIPS_TOUCH = 0.01
"""Gap in eye distances up to which lips count as closed: a landmarker finds them no more exactly."""
EYE_OPEN = 0.6
"""Share of the canonical opening below which an eye counts as not at rest."""


def lip_gaps(shape: Array) -> Array:
    """(9,): gaps between the inner lips of an un-posed shape (478, 3), left to right; negative where they cross."""
    return np.asarray(shape[LOWER_LIP_RIM, 1] - shape[UPPER_LIP_RIM, 1])


def lid_gaps(shape: Array) -> Array:
    """(2, 7): gaps between the lids of the left and right eye of an un-posed shape (478, 3)."""
    return np.asarray(shape[LOWER_LIDS, 1] - shape[UPPER_LIDS, 1])


def set_lip_gaps(shape: Array, gaps: Array) -> Array:
    """A copy of `shape` (478, 3) whose inner lips stand `gaps` (9,) apart."""
    out = shape.copy()
    out[:, 1] += _lip_matrix() @ (gaps - lip_gaps(shape))
    _meet(out, UPPER_LIP_RIM, LOWER_LIP_RIM, gaps)
    return out


def set_lid_gaps(shape: Array, gaps: Array) -> Array:
    """A copy of `shape` (478, 3) whose lids stand `gaps` (2, 7) apart."""
    out = shape.copy()
    change = gaps - lid_gaps(shape)
    for matrix, row in zip(_lid_matrices(), change, strict=True):
        out[:, 1] += matrix @ row
    _meet(out, UPPER_LIDS, LOWER_LIDS, gaps)
    return out


def _meet(shape: Array, upper: NDArray[np.int64], lower: NDArray[np.int64], gaps: Array) -> None:
    """Align touching rims in width and depth as well; otherwise they separate when the head nods."""
    apart = (shape[lower] - shape[upper]) / 2
    apart[..., 1] = 0.0
    way = np.minimum(np.maximum(1 - gaps / TOUCHING, 0.0), 1.0)[..., None] * apart
    shape[upper] += way
    shape[lower] -= way


def _spread(points: Array, rim: NDArray[np.int64], reach: float, members: NDArray[np.bool_]) -> Array:
    """(478, R): weight with which each landmark follows each rim point; a rim point follows only itself."""
    offset = points[:, None, :2] - points[None, rim, :2]
    width = np.abs(np.diff(points[rim, 0])).mean()
    along = np.exp(-((offset[..., 0] / width) ** 2))
    share = along / np.maximum(along.sum(axis=1, keepdims=True), 1e-12)
    ends = points[rim[[0, -1]], 0]
    beyond = np.maximum(np.maximum(ends.min() - points[:, 0], points[:, 0] - ends.max()), 0.0)
    away = np.abs(offset[..., 1]).min(axis=1)
    share *= np.exp(-((away / reach) ** 2) - (beyond / width) ** 2)[:, None]
    share[~members] = 0.0
    share[rim] = np.eye(len(rim))
    return np.asarray(share)


@lru_cache(maxsize=1)
def _lip_matrix() -> Array:
    points = canonical_face().points
    line = np.interp(points[:, 0], points[UPPER_LIP_RIM, 0], points[UPPER_LIP_RIM, 1])
    skin = np.arange(len(points)) < topology.SKIN_COUNT
    corners = np.isin(
        np.arange(len(points)), [ring[i] for ring in (topology.INNER_LIPS, topology.OUTER_LIPS) for i in (0, 10)]
    )
    upper = skin & (points[:, 1] < line) & ~corners
    lower = skin & (points[:, 1] > line) & ~corners
    upper[LOWER_LIP_RIM], lower[UPPER_LIP_RIM] = False, False
    up = _spread(points, UPPER_LIP_RIM, LIP_REACH * 0.7, upper)
    down = _spread(points, LOWER_LIP_RIM, LIP_REACH, lower)
    up[LOWER_LIP_RIM], down[UPPER_LIP_RIM] = 0.0, 0.0
    return np.asarray(LOWER_LIP_SHARE * down - (1 - LOWER_LIP_SHARE) * up)


@lru_cache(maxsize=1)
def _lid_matrices() -> tuple[Array, Array]:
    points = canonical_face().points
    skin = np.arange(len(points)) < topology.SKIN_COUNT
    matrices = []
    for eye, upper_rim, lower_rim in zip(topology.EYES, UPPER_LIDS, LOWER_LIDS, strict=True):
        line = np.interp(points[:, 0], *_sorted_line(points[upper_rim] / 2 + points[lower_rim] / 2))
        corners = np.isin(np.arange(len(points)), (eye[0], eye[8]))
        upper = _spread(points, upper_rim, LID_REACH, skin & (points[:, 1] < line) & ~corners)
        lower = _spread(points, lower_rim, LID_REACH, skin & (points[:, 1] > line) & ~corners)
        upper[lower_rim], lower[upper_rim] = 0.0, 0.0
        matrices.append(np.asarray((1 - UPPER_LID_SHARE) * lower - UPPER_LID_SHARE * upper))
    return matrices[0], matrices[1]


def _sorted_line(points: Array) -> tuple[Array, Array]:
    order = np.argsort(points[:, 0])
    return points[order, 0], points[order, 1]


def parting_fields() -> Array:
    """(2, 478, 3): how the canonical face moves as its lower, and as its upper lip parts by one, without the jaw."""
    arch = 1 - np.abs(np.linspace(-0.8, 0.8, len(UPPER_LIP_RIM))) ** 2.2
    moved, out = _lip_matrix() @ arch, np.zeros((2, topology.COUNT, 3))
    out[0, :, 1] = np.maximum(moved, 0.0) / LOWER_LIP_SHARE
    out[1, :, 1] = np.minimum(moved, 0.0) / (1 - LOWER_LIP_SHARE)
    return out


def close_lips(shape: Array) -> Array:
    """`shape` (478, 3), un-posed, with its lips brought together; crossing lips are parted."""
    return set_lip_gaps(shape, np.zeros_like(lip_gaps(shape)))


def lips_touching(shape: Array) -> Array:
    """`shape` (478, 3), un-posed, with lips that nearly touch or cross brought together; parted lips stay parted."""
    gaps = lip_gaps(shape)
    return close_lips(shape) if gaps.max() < LIPS_TOUCH else set_lip_gaps(shape, np.maximum(gaps, 0.0))


def open_lids(shape: Array) -> Array:
    """`shape` (478, 3), un-posed, with eyes that are nearly shut opened to a face's usual share."""
    gaps = lid_gaps(shape)
    usual = lid_gaps(canonical_face().points)
    shut = gaps.sum(axis=1, keepdims=True) < EYE_OPEN * usual.sum(axis=1, keepdims=True)
    return set_lid_gaps(shape, np.where(shut, usual, gaps)) if shut.any() else shape


def at_rest(shape: Array) -> Array:
    """`shape` (478, 3), un-posed, with its mouth closed and its eyes open."""
    return open_lids(close_lips(shape))
