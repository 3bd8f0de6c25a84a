"""Similarity alignment of point sets (orthogonal Procrustes with scale; Umeyama, PAMI 1991)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """The map x -> scale * rotation @ x + translation, in the plane or in space."""

    rotation: Array
    """(D, D), determinant +1."""
    translation: Array
    """(D,), in target units."""
    scale: float
    """Target units per source unit, positive."""

    def apply(self, points: Array) -> Array:
        """Map points of shape (N, D)."""
        return self.scale * (points @ self.rotation.T) + self.translation

    def undo(self, points: Array) -> Array:
        """Map points of shape (N, D) back."""
        return ((points - self.translation) @ self.rotation) / self.scale


def fit_similarity(source: Array, target: Array, weights: Array | None = None) -> Similarity:
    """The similarity that brings `source` (N, D) closest to `target` (N, D) in the weighted least-squares sense.

    Raises:
        ValueError: fewer than D points, or points without extent.
    """
    if len(source) < source.shape[1]:
        raise ValueError(f"a similarity in {source.shape[1]} dimensions needs as many points, got {len(source)}")
    share = np.full(len(source), 1.0 / len(source)) if weights is None else weights / weights.sum()
    source_mean, target_mean = share @ source, share @ target
    centred, goal = source - source_mean, target - target_mean
    u, singular, vt = np.linalg.svd(goal.T @ (centred * share[:, None]))
    signs = np.ones(source.shape[1])
    signs[-1] = np.sign(np.linalg.det(u @ vt))
    extent = float(share @ (centred**2).sum(axis=1))
    if extent <= 1e-12:
        raise ValueError("a similarity needs points that do not coincide")
    rotation = (u * signs) @ vt
    scale = float(singular @ signs) / extent
    return Similarity(rotation, target_mean - scale * rotation @ source_mean, scale)
