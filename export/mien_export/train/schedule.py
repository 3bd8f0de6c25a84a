"""Stages of a run, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a run."""

    steps: int
    batch: int
    """Samples in a step."""

    def rate_at(self, step: int) -> float:
        """Learning rate at a step of this part."""
        raise NotImplementedError


P = TypeVar("P", bound=Part)


def all_steps(parts: Sequence[Part]) -> int:
    """Of all parts."""
    return sum(part.steps for part in parts)


def part_at(parts: Sequence[Part], step: int) -> tuple[int, int]:
    """(index of the part, its first step) at a step; the last one's beyond the end."""
    first = 0
    for index, part in enumerate(parts):
        if step < first + part.steps:
            return index, first
        first += part.steps
    return len(parts) - 1, first - parts[-1].steps


def shared_out(parts: Sequence[P], steps: int) -> tuple[P, ...]:
    """The same parts in so many steps in all, each with its share; those that get none are left out."""
    whole = all_steps(parts)
    ends = [total * steps // whole for total in accumulate(part.steps for part in parts)]
    counts = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
    return tuple(replace(part, steps=count) for part, count in zip(parts, counts, strict=True) if count)
