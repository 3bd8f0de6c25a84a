"""What a user asks of styles: `NAME[:STRENGTH][+NAME[:STRENGTH]...]`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import SettingError

FORM = "NAME, NAME:STRENGTH with a strength from 0 to 1, or several joined by +"


@dataclass(frozen=True, slots=True)
class StyleWish:
    """One style or a blend of several."""

    shares: tuple[tuple[str, float], ...]
    """Names with their strengths, as asked."""

    @property
    def strength(self) -> float:
        """How much of the answer is style rather than the picture, 0..1."""
        return min(sum(share for _, share in self.shares), 1.0)

    def mix(self, names: Sequence[str]) -> NDArray[np.float32]:
        """(K,): the share of each style that a bundle names; they add up to 1.

        Raises:
            SettingError: the bundle has no such style.
        """
        mix = np.zeros(len(names), np.float32)
        for name, share in self.shares:
            if name not in names:
                raise SettingError(f"style must be one of {', '.join(names)}, got {name!r}")
            mix[names.index(name)] += share
        whole = float(mix.sum())
        return mix / np.float32(whole) if whole else np.full(len(names), 1 / len(names), np.float32)


def read_wish(text: str) -> StyleWish:
    """What `text` asks for.

    Raises:
        SettingError: it has another form.
    """
    shares = []
    for part in text.split("+"):
        name, colon, number = part.strip().partition(":")
        try:
            share = float(number) if colon else 1.0
        except ValueError:
            share = -1.0
        if not name or not 0 <= share <= 1:
            raise SettingError(f"style must be {FORM}, got {text!r}")
        shares.append((name, share))
    return StyleWish(tuple(shares))
