"""Synthetic performances with known motion of head and face over time, for any face shape.

`compose` writes a performance; `Performer` plays it on a neutral shape and gives landmarks. The same performance on
a wide and a narrow face is the same deed, which is the ground truth for retargeting.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.pose import Angles, rotation_of
from mien_export.samples.basis import EXPRESSIONS, INDEX, expression_basis

Array = NDArray[np.float64]

NECK: Final = np.array([0.0, 1.2, 0.25])
"""Where a head turns on its neck, in the canonical frame."""

VISEMES: Final[dict[str, dict[str, float]]] = {
    "rest": {},
    "AA": {"jaw_open": 1.0, "lips_stretch": 0.10, "lower_lip_down": 0.2},
    "EH": {"jaw_open": 0.45, "lips_stretch": 0.35, "lower_lip_down": 0.2},
    "EE": {"jaw_open": 0.18, "lips_stretch": 0.70, "upper_lip_up": 0.35, "lower_lip_down": 0.35},
    "OH": {"jaw_open": 0.7, "lips_pucker": 0.55},
    "OO": {"jaw_open": 0.28, "lips_pucker": 0.95},
    "M": {"lips_press": 0.55},
    "F": {"jaw_open": 0.06, "upper_lip_up": 0.30, "lips_press": 0.15},
    "S": {"jaw_open": 0.10, "lips_stretch": 0.35, "upper_lip_up": 0.25, "lower_lip_down": 0.30},
    "L": {"jaw_open": 0.35, "lips_stretch": 0.10},
}
VOWELS: Final = ("AA", "EH", "EE", "OH", "OO")
CONSONANTS: Final = ("M", "F", "S", "L")


@dataclass(frozen=True, slots=True)
class Phone:
    """One spoken sound."""

    viseme: str
    start: float
    """Seconds."""
    duration: float
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done at one moment."""

    seconds: float
    turn: Angles
    translation: tuple[float, float]
    """Of the neck, in eye distances."""
    scale: float
    weights: tuple[float, ...]
    """One for each of `EXPRESSIONS`."""


@dataclass(frozen=True, slots=True)
class Performance:
    """Deeds at a constant rate, and the sounds that go with them."""

    deeds: tuple[Deed, ...]
    phones: tuple[Phone, ...] = field(default=())
    rate: float = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class Performer:
    """A face that can play any performance."""

    neutral: Array
    """(478, 3) un-posed, in eye distances, origin between the temples: closed mouth, open eyes."""
    basis: Array
    """(K, 478, 3), see `expression_basis`."""

    def shape(self, deed: Deed) -> Array:
        """The un-posed face (478, 3) at `deed`."""
        return np.asarray(self.neutral + np.tensordot(np.array(deed.weights), self.basis, 1))

    def landmarks(self, deed: Deed, centre: tuple[float, float], size: float) -> Array:
        """(478, 3) in pixels: the face with its neutral origin at `centre` and `size` pixels per unit."""
        turned = (self.shape(deed) - NECK) @ rotation_of(deed.turn).T + NECK
        moved = turned * deed.scale + [*deed.translation, 0.0]
        return np.asarray(moved * size + [*centre, 0.0])


def performer(neutral: Array) -> Performer:
    """A performer with face shape `neutral` (478, 3)."""
    return Performer(neutral, expression_basis(neutral))


def reshaped(neutral: Array, width: float = 1.0, height: float = 1.0, eyes: float = 1.0, mouth: float = 1.0) -> Array:
    """Another face: `neutral` stretched, with eyes and mouth made larger or smaller about their middles."""
    shape = neutral.copy()
    for centre, reach, gain in (((159, 145), 0.26, eyes), ((386, 374), 0.26, eyes), ((13, 14), 0.42, mouth)):
        middle = shape[list(centre)].mean(axis=0)
        near = np.exp(-((np.linalg.norm(neutral[:, :2] - middle[:2], axis=1) / reach) ** 4))[:, None]
        shape[:, :2] += near * (gain - 1) * (neutral[:, :2] - middle[:2])
    return np.asarray(shape * [width, height, 1.0])


def compose(seconds: float, rate: float = 25.0, seed: int = 0, quiet: float = 0.5) -> Performance:
    """A lively performance: after `quiet` neutral seconds it speaks, blinks, looks about, smiles, and turns.

    Yaw reaches about 20 degrees to both sides, pitch 10, roll 8. The same seed gives the same performance.
    """
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * rate)) / rate
    phones = _speech(rng, quiet, seconds - 1.6)
    tracks = np.zeros((len(times), len(EXPRESSIONS)))
    for name, track in _mouthed(phones, times).items():
        tracks[:, INDEX[name]] += track
    _eyes(tracks, times, rng, quiet)
    tracks[:, INDEX["smile"]] += 0.75 * _bump(times, seconds - 2.1, seconds - 0.5, 0.5) + 0.25 * _bump(
        times, 0.9, 1.9, 0.4
    )
    tracks[:, INDEX["brow_raise"]] += 0.9 * _bump(times, 0.30 * seconds, 0.42 * seconds, 0.25)
    tracks[:, INDEX["brow_frown"]] += 0.8 * _bump(times, 0.56 * seconds, 0.66 * seconds, 0.25)
    turns, moves, scales = _head(times, seconds, rng, quiet)
    deeds = tuple(
        Deed(float(t), Angles(*map(float, turn)), (float(m[0]), float(m[1])), float(s), tuple(map(float, w)))
        for t, turn, m, s, w in zip(times, turns, moves, scales, tracks, strict=True)
    )
    return Performance(deeds, phones, rate)


def _ease(t: Array) -> Array:
    """Minimum-jerk step from 0 to 1."""
    t = np.clip(t, 0, 1)
    return np.asarray(t**3 * (10 - 15 * t + 6 * t * t))


def _bump(times: Array, start: float, end: float, slope: float) -> Array:
    return _ease((times - start) / slope) * (1 - _ease((times - end) / slope))


def _speech(rng: np.random.Generator, start: float, end: float) -> tuple[Phone, ...]:
    """Words of one to three syllables, with pauses."""
    phones: list[Phone] = []
    now, order = start + 0.4, list(rng.permutation(VOWELS))
    while now < end - 0.8:
        for _ in range(int(rng.integers(1, 4))):
            onset, vowel = str(rng.choice(CONSONANTS)), str(order[len(phones) // 2 % len(order)])
            for viseme, long in ((onset, rng.uniform(0.07, 0.11)), (vowel, rng.uniform(0.14, 0.24))):
                phones.append(Phone(viseme, now, float(long), float(rng.uniform(0.8, 1.1))))
                now += float(long)
        now += float(rng.uniform(0.06, 0.32))
    return tuple(phones)


def _mouthed(phones: tuple[Phone, ...], times: Array) -> dict[str, Array]:
    """Weights over time: every phone dominates around its middle, and neighbours blend (Cohen and Massaro, 1993)."""
    tracks = {name: np.zeros(len(times)) for name in EXPRESSIONS}
    total = np.full(len(times), 0.2)
    for phone in phones:
        middle, reach = phone.start + phone.duration / 2, 0.62 * phone.duration + 0.015
        share = np.exp(-(((times - middle) / reach) ** 2)) * (2.5 if phone.viseme in ("M", "F") else 1.0)
        total += share
        for name, weight in VISEMES[phone.viseme].items():
            tracks[name] += share * weight * phone.strength
    return {name: track / total for name, track in tracks.items()}


def _eyes(tracks: Array, times: Array, rng: np.random.Generator, quiet: float) -> None:
    now = quiet + 0.2
    while now < times[-1] - 0.3:
        lid = _ease((times - now) / 0.09) * (1 - _ease((times - now - 0.13) / 0.16))
        tracks[:, INDEX["lid_left"]] = np.maximum(tracks[:, INDEX["lid_left"]], lid)
        tracks[:, INDEX["lid_right"]] = np.maximum(tracks[:, INDEX["lid_right"]], lid)
        now += float(rng.uniform(1.1, 2.4))
    now, here = quiet + 0.35, np.zeros(2)
    while now < times[-1] - 0.6:
        there = rng.uniform([-0.9, -0.6], [0.9, 0.6]) * (rng.random() < 0.75)
        step = _ease((times - now) / 0.05)[:, None] * (there - here)
        tracks[:, INDEX["gaze_x"]] += step[:, 0]
        tracks[:, INDEX["gaze_y"]] += step[:, 1]
        now, here = now + float(rng.uniform(0.5, 1.2)), there
    home = _ease((times - times[-1] + 0.6) / 0.05)
    tracks[:, INDEX["gaze_x"]] -= home * here[0]
    tracks[:, INDEX["gaze_y"]] -= home * here[1]


def _head(times: Array, seconds: float, rng: np.random.Generator, quiet: float) -> tuple[Array, Array, Array]:
    """Angles (T, 3) through poses that reach all limits, ways (T, 2) and sizes (T,)."""
    poses = np.array(
        [
            [0, 0, 0],
            [13, 3, 2],
            [20, -3, -3],
            [2, 9, 1],
            [-12, 2, 7],
            [-20, -5, 3],
            [-4, -10, -4],
            [9, 4, -8],
            [0, 0, 0],
        ],
        float,
    )
    poses[1:-1] += rng.uniform(-1, 1, (len(poses) - 2, 3))
    marks = np.linspace(quiet, seconds - 0.7, len(poses))
    angles = np.zeros((len(times), 3))
    moves, sizes = np.zeros((len(times), 2)), np.ones(len(times))
    for start, before, after in zip(marks, poses, poses[1:], strict=False):
        step = _ease((times - start) / (1.05 * (marks[1] - marks[0])))[:, None]
        angles += step * (after - before)
    sway = _bump(times, quiet, seconds - 1.0, 0.6)
    for axis, (speed, amount) in enumerate(((0.23, 0.05), (0.31, 0.03))):
        moves[:, axis] = amount * sway * np.sin(2 * np.pi * speed * times + rng.uniform(0, 6))
    sizes += 0.02 * sway * np.sin(2 * np.pi * 0.17 * times + rng.uniform(0, 6))
    nod = np.sin(2 * np.pi * 1.9 * times + rng.uniform(0, 6)) * sway
    return angles + np.column_stack([0.4 * nod, 0.7 * nod, 0.3 * nod]), moves, sizes
