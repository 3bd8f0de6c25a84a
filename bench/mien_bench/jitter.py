"""How much landmarks tremble where nothing moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Jitter:
    """Root mean squares over time per landmark, in pixels of a 512 px picture, over the landmarks."""

    mean: float
    """About each landmark's own mean place."""
    median: float
    worst: float
    step: float
    """From frame to frame, the mean over the landmarks."""


def jitter(track: Array, side: int) -> Jitter:
    """The jitter of landmarks (N, 478, 2 or 3) over N >= 2 frames of a picture whose longer side is `side` pixels.

    Raises:
        ValueError: fewer frames.
    """
    if len(track) < 2:
        raise ValueError(f"jitter needs at least 2 frames with a face, got {len(track)}")
    places = track[:, :, :2] * (512 / side)
    away = _magnitude(places - places.mean(axis=0))
    return Jitter(
        mean=float(away.mean()),
        median=float(np.median(away)),
        worst=float(away.max()),
        step=float(_magnitude(np.diff(places, axis=0)).mean()),
    )


def _magnitude(ways: Array) -> Array:
    """(478,): root mean square over time of ways (N, 478, 2)."""
    return np.asarray(np.sqrt((ways**2).sum(axis=2).mean(axis=0)))
