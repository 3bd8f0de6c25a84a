"""Hair that hangs follows the head late and swings out, as a damped spring does.

The spring pulls a point of hair to its place on the head, damped against the air: x'' = w^2 (p - x) - 2 z w x', with w
its frequency, z its damping and p the place. The places of all points are linear in the numbers of the head's pose, so
one spring for each of these numbers does for all points. Between two frames the pose is taken to change evenly; then
the equation has a closed solution, exact for any step. So the result depends on motions and their times alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.pose import Similarity
from mien.portrait.portrait import Layers, Portrait
from mien.sums import smoothstep

Array = NDArray[np.float64]

PERIOD: Final = 0.55
"""Seconds of one swing of the undamped spring: between those of hair of a hand's and of a foot's length."""
DAMPING: Final = 0.5
"""Relative to the least at which nothing swings over. After a sudden stop it overshoots by a sixth."""
GAP: Final = 0.5
"""Seconds without a frame after which hair is at rest."""
MOST: Final = 0.3
"""Largest distance from where hair would be without the spring, in eye distances."""
BELOW: Final = (1.0, 1.5)
"""Heights in the canonical face between which hair begins to swing: from the jaw downwards."""
ASIDE: Final = (0.2, 0.45)
"""Distances of the contour from the canonical face's middle between which there is hair, and no beard."""
APART: Final = 0.12
"""Eye distances from the contour within which nothing is taken for hair."""
OPAQUE: Final = 200
"""Opacity from which the head's layer has something to swing: the chin's shadow has less."""
_FREQUENCY: Final = 2 * math.pi / PERIOD
_RATE: Final = DAMPING * _FREQUENCY
_TURNS: Final = _FREQUENCY * math.sqrt(1 - DAMPING**2)


@dataclass(frozen=True, slots=True, eq=False)
class SpringState:
    """Where a spring is after a frame."""

    seconds: float
    place: Array
    """What it is pulled to."""
    behind: Array
    """How far it is from there."""
    speed: Array
    """Of itself, per second."""


def spring_step(state: SpringState | None, place: Array, seconds: float) -> SpringState:
    """The spring at `seconds`, when what it is pulled to has moved evenly to `place`.

    It is at rest there without an earlier state, and where time goes back or more than `GAP` has passed.
    """
    step = GAP if state is None else seconds - state.seconds
    if state is None or not 0 <= step < GAP:
        return SpringState(seconds, place, np.zeros_like(place), np.zeros_like(place))
    if step == 0:
        return SpringState(seconds, place, state.behind, state.speed)
    pull = (place - state.place) / step
    even = pull * (-2 * DAMPING / _FREQUENCY)  # where it stays as long as the place moves evenly
    start = state.behind - even
    turn = (state.speed - pull + _RATE * start) / _TURNS
    fade, cosine, sine = math.exp(-_RATE * step), math.cos(_TURNS * step), math.sin(_TURNS * step)
    swung = fade * (cosine * start + sine * turn)
    rate = fade * _TURNS * (cosine * turn - sine * start) - _RATE * swung
    return SpringState(seconds, place, even + swung, pull + rate)


class Swing:
    """The hair of one portrait as it swings: how far it is from where its head's pose puts it, frame by frame."""

    def __init__(self, rings: Array, shares: Array, unit: float) -> None:
        """
        Args:
            rings: (R, 3): the head's rings on the un-posed face.
            shares: (R,) in 0..1: how far each point takes part.
            unit: an eye distance in pixels.
        """
        self._moving = np.flatnonzero(shares > 0)
        self._shares = shares[self._moving, None]
        self._points = np.column_stack([rings[self._moving], np.ones(len(self._moving))])
        self._most = MOST * unit
        self._ways = np.zeros((len(rings), 2))
        self._state: SpringState | None = None

    @classmethod
    def of(cls, portrait: Portrait, layers: Layers, rings: Array, follow: Array) -> Swing | None:
        """None: the portrait has no hair that hangs. `follow` (R, 1): how far each ring point follows the head."""
        shares = hanging(portrait, layers, rings) * follow[:, 0]
        return cls(rings, shares, portrait.pose.scale) if shares.any() else None

    def goes_on_from(self, other: Swing) -> None:
        """Swing on as another portrait's hair did."""
        self._state = other._state

    def stop(self) -> None:
        """Let hair be at rest in the next frame, as after a cut."""
        self._state = None

    def __call__(self, pose: Similarity, seconds: float) -> Array:
        """(R, 2): how far each point is from where the pose puts it, in pixels; the next call writes there again."""
        place = np.column_stack([pose.scale * pose.rotation[:2], pose.translation[:2]])
        self._state = spring_step(self._state, place, seconds)
        way = self._shares * (self._points @ self._state.behind.T)
        far = np.hypot(way[:, 0], way[:, 1])[:, None]
        self._ways[self._moving] = way * (self._most * np.tanh(far / self._most) / np.maximum(far, 1e-9))
        return self._ways


def hanging(portrait: Portrait, layers: Layers, rings: Array) -> Array:
    """(R,) in 0..1: how far each ring point (R, 3) swings: hair below the jaw, where the head's layer has such."""
    contour = portrait.shape[list(topology.OVAL)]
    below = rings.reshape(-1, len(contour), 3)
    x, y = np.rint(portrait.pose.apply(rings)[:, :2] - np.array(layers.head.corner)).astype(np.int64).T
    height, width = layers.head.alpha.shape
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    there = inside & (layers.head.alpha[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)] > OPAQUE)
    away = np.linalg.norm((below - contour)[..., :2], axis=2)
    hair = there.reshape(away.shape) & (away > APART) & (below[..., 1] > sum(BELOW) / 2)
    aside = np.abs(contour[:, 0] - contour[:, 0].mean())
    long = hair.any(axis=0) * _step(aside, ASIDE)
    for _ in range(2):  # neighbours go along, so that nothing tears
        long = (np.roll(long, 1) + 2 * long + np.roll(long, -1)) / 4
    return np.asarray(long * _step(below[..., 1], BELOW)).ravel()


def _step(values: Array, between: tuple[float, float]) -> Array:
    """0 below the first, 1 above the second, smooth between."""
    return smoothstep(np.clip((values - between[0]) / (between[1] - between[0]), 0.0, 1.0))
