"""A face at rest: what a shape would look like with its mouth closed and its eyes open."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.face.canonical import canonical_face
from mien.face.contacts import lid_gaps, lip_gaps, set_lid_gaps, set_lip_gaps

Array = NDArray[np.float64]
LIPS_TOUCH = 0.01
"""Gap in eye distances up to which lips count as closed: a landmarker finds them no more exactly."""
EYE_OPEN = 0.6
"""Share of the canonical opening below which an eye counts as not at rest."""


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
