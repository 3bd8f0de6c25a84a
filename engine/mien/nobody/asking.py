"""What a user asks of somebody: traits, colours, both as conditions on a mixture.

Traits and colours are linear in the mixture, so that somebody drawn at random under conditions is somebody drawn at
random, moved the least way on which the conditions are met (conditioning of a normal distribution).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mien.errors import SettingError
from mien.face.traits import INDEX, TRAITS

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

Hair = Literal["black", "brown", "dark", "fair", "red", "grey", "white"]
HAIRS: Final[tuple[Hair, ...]] = get_args(Hair)
HAIR_COLOURS: Final[Mapping[Hair, tuple[float, float, float]]] = {
    "black": (0.11, 0.1, 0.1),
    "dark": (0.2, 0.15, 0.12),
    "brown": (0.34, 0.23, 0.17),
    "fair": (0.66, 0.52, 0.36),
    "red": (0.5, 0.27, 0.16),
    "grey": (0.5, 0.49, 0.48),
    "white": (0.77, 0.76, 0.74),
}
SKINS: Final = (0.3, 0.82)
"""Mean of red, green and blue of the darkest and the lightest skin that can be asked for."""
STRENGTH: Final = 1.0
"""Standard deviation of mixtures. Less makes people alike, and near to many real ones, as a mean face is."""
TONES: Final = 12
"""Numbers of the four colours: skin, hair, neck, cloth."""
DOUBT: Final = 1e-4
"""Variance that is left to what is asked, lest two conditions that contradict each other lead far away."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody is to be like; what is None is left to chance.

    All but hair are 0..1, of which 0 and 1 are the 5th and the 95th percentile of the portraits learnt from.
    """

    hair: Hair | None = None
    skin: float | None = None
    """0 dark, 1 light."""
    smile: float | None = 0.35
    open_mouth: float | None = 0.0
    """A portrait is driven best from a closed mouth."""
    beard: float | None = None
    long_hair: float | None = None
    full_hair: float | None = None
    """Hair above the forehead: 0 is bald."""
    fringe: float | None = None
    grey_hair: float | None = None
    glasses: bool = False
    turn: float | None = 0.5
    """0.5 is frontal, 1 turned to the picture's right."""

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            SettingError: with the name of the option.
        """
        if self.hair is not None and self.hair not in HAIRS:
            raise SettingError(f"--hair must be one of {', '.join(HAIRS)}, got {self.hair!r}")
        for name in ("skin", *_FIELDS.values()):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1.0:
                raise SettingError(f"--{name.replace('_', '-')} must be from 0 to 1, got {value}")


_FIELDS: Final = {name: name.replace("-", "_") for name in TRAITS if name != "glasses"}


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Traits, then tones, as a linear map of mixtures."""

    mean: Array
    """(9 + 12,)."""
    matrix: Array
    """(9 + 12, L)."""

    def conditions(self, asked: Wish) -> tuple[Array, Array]:
        """Rows (C, 9 + 12) and their wanted values (C,)."""
        rows: list[Array] = []
        values: list[float] = []

        def want(row: Array, value: float) -> None:
            rows.append(row)
            values.append(value)

        one = np.eye(len(TRAITS) + TONES)
        for name, field in _FIELDS.items():
            if (value := getattr(asked, field)) is not None:
                want(one[INDEX[name]], value)
        want(one[INDEX["glasses"]], float(asked.glasses))
        first = len(TRAITS)
        if asked.skin is not None:
            low, high = SKINS
            want(one[first : first + 3].mean(axis=0), low + asked.skin * (high - low))
        if asked.hair is not None:
            for place, value in enumerate(HAIR_COLOURS[asked.hair]):
                want(one[first + 3 + place], value)
            if asked.grey_hair is None:
                want(one[INDEX["grey-hair"]], {"grey": 0.9, "white": 1.1}.get(asked.hair, 0.3))
        return np.array(rows), np.array(values)

    def mixture(self, asked: Wish, rng: np.random.Generator, strength: float = STRENGTH) -> Floats:
        """(L,): somebody at random who is as asked."""
        rows, values = self.conditions(asked)
        return self.drawn(rows, values, rng, strength)

    def like(self, traits: Floats, tones: Floats, asked: Wish, rng: np.random.Generator) -> Floats:
        """(L,): somebody at random with these traits (9,) and tones (12,), but for what is asked besides."""
        rows, values = self.conditions(asked)
        taken = rows.any(axis=0)
        taken[: len(TRAITS)][[INDEX["smile"], INDEX["open-mouth"]]] = True  # of a moment, not of a person
        free = np.flatnonzero(~taken)
        known = np.concatenate([traits, tones])[free]
        return self.drawn(np.vstack([rows, np.eye(len(taken))[free]]), np.concatenate([values, known]), rng)

    def drawn(self, rows: Array, values: Array, rng: np.random.Generator, strength: float = STRENGTH) -> Floats:
        """(L,): somebody at random of whom `rows` @ looks are `values`."""
        mixture = strength * rng.standard_normal(self.matrix.shape[1])
        return moved(mixture, rows @ self.matrix, values - rows @ self.mean, DOUBT)


def moved(mixture: Array, onto: Array, values: Array, doubt: float | Array) -> Floats:
    """(L,): `mixture` moved the least way to where `onto` (C, L) @ mixture is `values` (C,).

    `doubt`: variance that is left to the values, in all or each.
    """
    lacking = values - onto @ mixture
    inner = onto @ onto.T + np.eye(len(onto)) * doubt
    return np.asarray(mixture + onto.T @ np.linalg.solve(inner, lacking), np.float32)
