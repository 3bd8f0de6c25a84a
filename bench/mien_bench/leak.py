"""How much of a driver's face shape reaches the portrait: its proportions while the driver does next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.measures import PROPORTIONS, proportions_of
from mien.face.motion import Motion

Array = NDArray[np.float64]
Track = Sequence[Array | None]

TURN, LIPS, LIDS, EXPRESSION = 8.0, 0.06, 0.3, 0.04
"""One unit of unrest: degrees of turn; lip gap in lower faces; opening of the lids; offsets in eye distances (RMS)."""
CALM_SHARE: Final = 0.1
CALM_LEAST: Final = 5
CALM_MOST_UNREST: Final = 2.0
"""Near-neutral frames are the calmest tenth of a clip, as far as they are calm at all."""


@dataclass(frozen=True, slots=True)
class Leak:
    """Change of one proportion against the portrait at rest, as a share; over the near-neutral frames."""

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
