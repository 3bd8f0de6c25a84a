"""Estimation of the driver's neutral; the first frame is never assumed to be neutral.

Of many frames (a seekable file), calm ones are selected by scores relative to the statistics of the clip; the neutral
is their median. For a stream, the same estimate runs over a bounded set of past frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.contacts import at_rest, lid_gaps, lip_gaps
from mien.face.pose import Angles, angles_of, fit_pose

Array = NDArray[np.float64]

CALM_SHARE = 0.12
CALM_LEAST = 5
"""The neutral is the median of this share of the frames, and of so many at least."""
CLOSED_LIPS = 0.03
"""Gap in eye distances up to which a landmarker's lips count as closed."""
SHUT, SHUT_LEAST, SHUT_MOST = 0.16, 0.05, 0.5
"""What a landmarker usually reports as opening of a shut eye, relative to the open one, and bounds on what it may
report of this driver's blinks."""
BLINK_FRAMES = 30
"""Frames from which on a blink is expected to have been seen."""
MEMORY = 120
"""Frames that a running estimate remembers."""


@dataclass(frozen=True, slots=True, eq=False)
class Neutral:
    """The driver at rest."""

    shape: Array
    """(478, 3): un-posed landmarks in the canonical frame and its unit, mouth closed, eyes open."""
    angles: Angles
    """How the head is usually held."""
    translation: Array
    """(2,): where in the frame, in pixels."""
    scale: float
    """Pixels per canonical unit."""
    shut: Array
    """(2,): what the landmarker reports as opening of the shut left and right eye, relative to the open one."""
    lips: Array
    """(9,): what the landmarker reports as gaps of this driver's closed lips."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One face as the estimate sees it."""

    shape: Array
    """(478, 3) un-posed by the canonical face."""
    angles: Array
    """(3,) yaw, pitch, roll in degrees."""
    translation: Array
    scale: float
    opening: float
    lids: Array
    """(2,): mean gap of the left and right eye."""


def sight(landmarks: Array) -> Sighting:
    """Measure landmarks (478, 3) in pixels."""
    pose = fit_pose(landmarks)
    shape = pose.undo(landmarks)
    angles = angles_of(pose.rotation)
    return Sighting(
        shape,
        np.array([angles.yaw, angles.pitch, angles.roll]),
        pose.translation[:2],
        pose.scale,
        float(np.maximum(lip_gaps(shape), 0).mean()),
        lid_gaps(shape).mean(axis=1),
    )


def estimate(sightings: list[Sighting]) -> Neutral:
    """The neutral of a driver from at least one sighting, in any order."""
    angles = np.median([s.angles for s in sightings], axis=0)
    order = np.argsort(_unrest(sightings, angles), kind="stable")
    calm = [sightings[i] for i in order[: max(CALM_LEAST, round(CALM_SHARE * len(sightings)))]]
    shape = np.median([s.shape for s in calm], axis=0)
    rest = at_rest(shape)
    return Neutral(
        shape=rest,
        angles=Angles(*(float(a) for a in angles)),
        translation=np.median([s.translation for s in sightings], axis=0),
        scale=float(np.median([s.scale for s in sightings])),
        shut=_shut(sightings, rest),
        lips=np.clip(lip_gaps(shape), 0.0, CLOSED_LIPS),
    )


def _shut(sightings: list[Sighting], rest: Array) -> Array:
    """(2,): the narrowest that each eye was seen, where that was narrow enough to be a blink, else the usual value."""
    if len(sightings) < BLINK_FRAMES:
        return np.full(2, SHUT)
    openings = np.array([s.lids for s in sightings]) / np.maximum(lid_gaps(rest).mean(axis=1), 1e-3)
    narrowest = np.percentile(openings, 1, axis=0)
    return np.where(narrowest < SHUT_MOST, np.maximum(narrowest, SHUT_LEAST), SHUT)


def _unrest(sightings: list[Sighting], angles: Array) -> Array:
    """(N,): how far each frame is from rest; one unit is a clear difference to the eye."""
    opening = np.array([s.opening for s in sightings])
    lids = np.array([s.lids for s in sightings]).mean(axis=1)
    shapes = np.stack([s.shape[:, :2] for s in sightings], axis=-1)
    turn = np.abs(np.array([s.angles for s in sightings]) - angles) @ np.array([1 / 12, 1 / 12, 1 / 25])
    away = shapes - _middle(shapes)[..., None]
    odd = np.sqrt((away**2).sum(axis=1).mean(axis=0))
    corners = away[[topology.OUTER_LIPS[0], topology.OUTER_LIPS[10]]]
    smiling = np.linalg.norm(corners, axis=1).mean(axis=0)
    drowsy = np.abs(lids - np.percentile(lids, 65))
    return np.asarray((opening - opening.min() + drowsy + odd + smiling) / 0.03 + turn)


def _middle(values: Array) -> Array:
    """Medians (...) of values (..., N), by sorting: ten times as fast as np.median here."""
    ordered, count = np.sort(values, axis=-1), values.shape[-1]
    return np.asarray((ordered[..., (count - 1) // 2] + ordered[..., count // 2]) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class RunningNeutral:
    """The estimate over a stream: a value; `seen` gives the next one."""

    sightings: tuple[Sighting, ...] = ()
    count: int = 0
    neutral: Neutral | None = None

    def seen(self, landmarks: Array) -> RunningNeutral:
        """The estimate after one more face; the set stays bounded by thinning the past evenly."""
        sightings = (*self.sightings, sight(landmarks))
        if len(sightings) > MEMORY:
            sightings = (*sightings[: MEMORY // 2 : 2], *sightings[MEMORY // 2 :])
        count = self.count + 1
        due = self.neutral is None or count < 10 or count % 10 == 0
        target = estimate(list(sightings)) if due else None
        return RunningNeutral(sightings, count, self._approach(target, count))

    def rezero(self, recent: int = 8) -> RunningNeutral:
        """Take the last `recent` faces as the neutral at once."""
        kept = self.sightings[-recent:]
        return RunningNeutral(kept, len(kept), estimate(list(kept)) if kept else None)

    def _approach(self, target: Neutral | None, count: int) -> Neutral | None:
        """Move towards a new estimate, after the first second in invisible steps."""
        if target is None or self.neutral is None or count < 10:
            return target or self.neutral
        return mix(self.neutral, target, 0.2)


def mix(a: Neutral, b: Neutral, share: float) -> Neutral:
    """`a` moved towards `b` by `share`."""
    angles = [x + share * (y - x) for x, y in zip(_tuple(a.angles), _tuple(b.angles), strict=True)]
    return Neutral(
        a.shape + share * (b.shape - a.shape),
        Angles(*angles),
        a.translation + share * (b.translation - a.translation),
        a.scale + share * (b.scale - a.scale),
        a.shut + share * (b.shut - a.shut),
        a.lips + share * (b.lips - a.lips),
    )


def _tuple(angles: Angles) -> tuple[float, float, float]:
    return angles.yaw, angles.pitch, angles.roll
