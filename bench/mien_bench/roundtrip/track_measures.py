"""Measures on tracks of landmarks and channels: correlation and slope, leak of the driver's face shape, jitter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.measures import CHANNELS, PROPORTIONS, proportions_of
from mien.face.motion import Motion

Array = NDArray[np.float64]

LEAST_RANGE: Final = dict(zip(CHANNELS, (0.1, 0.1, 5.0, 5.0, 5.0), strict=True))
"""From the 2nd to the 98th percentile, in the channel's unit: a driver that does less of it gives nothing to follow."""
_LEAST_FRAMES = 10
Track = Sequence[Array | None]
TURN, LIPS, LIDS, EXPRESSION = 8.0, 0.06, 0.3, 0.04
"""One unit of unrest: degrees of turn; lip gap in lower faces; opening of the lids; offsets in eye distances (RMS)."""
CALM_SHARE: Final = 0.1
CALM_LEAST: Final = 5
CALM_MOST_UNREST: Final = 2.0
"""Near-neutral frames are the calmest tenth of a clip, as far as they are calm at all."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a channel of an answer follows the driver's."""

    correlation: float
    slope: float
    """Of the regression line: 1 is as much as the driver does."""
    range: float
    """Of the driver, from the 2nd to the 98th percentile."""


def agreements(driver: Array, answer: Array) -> dict[str, Agreement]:
    """The channels that move in the driver, of (N, 5) channels over time; rows with NaN on either side are left out."""
    both = ~(np.isnan(driver).any(axis=1) | np.isnan(answer).any(axis=1))
    if both.sum() < _LEAST_FRAMES:
        return {}
    found = {}
    for column, name in enumerate(CHANNELS):
        wanted, got = driver[both, column], answer[both, column]
        extent = float(np.subtract(*np.percentile(wanted, [98, 2])))
        if extent > LEAST_RANGE[name]:
            found[name] = Agreement(_correlation(wanted, got), float(np.polyfit(wanted, got, 1)[0]), extent)
    return found


def _correlation(a: Array, b: Array) -> float:
    if b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


@dataclass(frozen=True, slots=True)
class Leak:
    """Relative change of one proportion against the portrait at rest, over the near-neutral frames."""

    median: float
    """Signed: positive is wider than the portrait's."""
    worst: float
    """95th percentile of the magnitude."""


def unrest(motion: Motion | None) -> float:
    """How far a motion is from neutral, infinite where there is none."""
    if motion is None:
        return float("inf")
    turn = np.hypot(motion.turn.yaw, motion.turn.pitch) / TURN
    face = float(np.sqrt((motion.expression[:, :2] ** 2).sum(axis=1).mean())) / EXPRESSION
    lids = float(np.abs(motion.lids - 1).max()) / LIDS
    return float(turn + face + lids + motion.lips.max() / LIPS)


def calm_frames(motions: Sequence[Motion | None]) -> list[int]:
    """Numbers of the near-neutral frames; none in a clip that is never calm."""
    scores = np.array([unrest(motion) for motion in motions])
    order = np.argsort(scores, kind="stable")[: max(CALM_LEAST, round(CALM_SHARE * len(scores)))]
    return sorted(int(number) for number in order if scores[number] < CALM_MOST_UNREST)


def leaks(track: Track, own: Array | None, frames: Sequence[int]) -> dict[str, Leak]:
    """Each proportion of `track` at `frames` against the portrait's `own` landmarks (478, 3); empty without any."""
    seen = [proportions_of(one) for number in frames if number < len(track) and (one := track[number]) is not None]
    if own is None or not seen:
        return {}
    change = np.array(seen) / proportions_of(own) - 1
    return {
        name: Leak(float(np.median(values)), float(np.percentile(np.abs(values), 95)))
        for name, values in zip(PROPORTIONS, change.T, strict=True)
    }


@dataclass(frozen=True, slots=True)
class Jitter:
    """Root mean squares over time per landmark, in pixels of a 512 px picture, over the landmarks."""

    mean: float
    """About each landmark's own mean position."""
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
    positions = track[:, :, :2] * (512 / side)
    away = _magnitude(positions - positions.mean(axis=0))
    return Jitter(
        mean=float(away.mean()),
        median=float(np.median(away)),
        worst=float(away.max()),
        step=float(_magnitude(np.diff(positions, axis=0)).mean()),
    )


def _magnitude(ways: Array) -> Array:
    """(478,): root mean square over time of displacements (N, 478, 2)."""
    return np.asarray(np.sqrt((ways**2).sum(axis=2).mean(axis=0)))
