"""An axis: where a value lies on it, and where its ticks are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels."""

    low: float
    high: float
    begin: float
    """Pixel of `low`."""
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (self._bent(one) for one in (self.low, self.high, max(value, self._least)))
        return self.begin + (at - low) / (high - low) * (self.end - self.begin)

    def ticks(self, count: int) -> list[float]:
        """Round values within the axis, about `count`."""
        return self._decades() if self.logarithmic else _steps(self.low, self.high, count)

    @property
    def _least(self) -> float:
        return self.low / 10 if self.logarithmic else -math.inf

    def _bent(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value

    def _decades(self) -> list[float]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        wide = len(powers) > 4
        found = [step * 10.0**power for power in powers for step in ((1,) if wide else STEPS[:3])]
        return [value for value in found if self.low <= value <= self.high * (1 + 1e-9)]


def scale_over(values: Iterable[float], begin: float, end: float, logarithmic: bool = False) -> Scale:
    """A scale that holds all values, with room; a linear one begins at 0 where no value is negative."""
    found = [value for value in values if math.isfinite(value) and (value > 0 or not logarithmic)] or [0.1, 1.0]
    low, high = min(found), max(found)
    if logarithmic:
        return Scale(low / 1.25, max(high * 1.25, low * 2), begin, end, True)
    low = min(low, 0.0)
    room = 0.04 * (high - low or 1.0)
    return Scale(low - (room if low < 0 else 0.0), high + room, begin, end)


def tick_text(value: float, ticks: Sequence[float]) -> str:
    """A tick with as many decimals as its neighbours need."""
    if value and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f"{value:.0e}"
    steps = [abs(b - a) for a, b in pairwise(ticks)] or [1.0]
    size = min([step for step in steps if step] or [1.0])
    decimals = max(0, -math.floor(math.log10(size) + 1e-9))
    return f"{value:,.{decimals}f}".replace(",", " ") if decimals < 6 else f"{value:g}"


def _steps(low: float, high: float, count: int) -> list[float]:
    rough = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((size * power for size in STEPS), key=lambda size: abs(math.log(size / rough)))
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]
