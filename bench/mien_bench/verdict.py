"""What is asked of all pairs together, and whether they give it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from mien.face.measures import CHANNELS, PROPORTIONS
from mien_bench.agreement import Agreement
from mien_bench.pair import Container, Pair

CORRELATION: Final = {"mouth": 0.9, "eyes": 0.8, "yaw": 0.9, "pitch": 0.85, "roll": 0.95}
"""Least, in the median over the pairs whose driver moves the channel."""
SLOPE: Final = (0.5, 1.3)
"""From, to; in the median over the same pairs."""
LEAK: Final = 0.03
"""Most that a proportion may change in near-neutral frames, in the median over a pair's frames; of every pair."""
SOUND_MS: Final = 40.0
RATE_SHARE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Check:
    """One thing asked."""

    name: str
    wanted: str
    got: str
    passed: bool
    worst: str = ""
    """The pair that is worst at it."""


def judge(pairs: Sequence[Pair]) -> list[Check]:
    """Every thing asked of at least one pair; what no pair could show is left out."""
    whole = [pair for pair in pairs if pair.trouble is None]
    checks = [_count("crashes", pairs, lambda pair: pair.trouble is not None)]
    if not whole:
        return checks
    checks += [
        _count("other frame count", whole, _of_container(lambda c: c.frames[0] != c.frames[1])),
        _count("other rate", whole, _of_container(lambda c: abs(c.rate[1] / c.rate[0] - 1) > RATE_SHARE)),
        _count("other duration", whole, _of_container(lambda c: abs(c.duration[1] - c.duration[0]) > 0.5 / c.rate[0])),
        _count("sound off", whole, _of_container(lambda c: c.sound is not None and abs(c.sound) > SOUND_MS)),
    ]
    for name in CHANNELS:
        checks += _following(name, [(pair, pair.found[name]) for pair in whole if name in pair.found])
    for name in PROPORTIONS:
        checks += _leaking(f"{name} of target", [(p, p.target_leak[name].median) for p in whole if p.target_leak])
        checks += _leaking(f"{name} found again", [(p, p.found_leak[name].median) for p in whole if p.found_leak])
    return checks


def title(pair: Pair) -> str:
    """How a pair is called."""
    return f"{pair.driver} x {pair.portrait}"


def _of_container(test: Callable[[Container], bool]) -> Callable[[Pair], bool]:
    return lambda pair: pair.container is not None and test(pair.container)


def _count(name: str, pairs: Sequence[Pair], test: Callable[[Pair], bool]) -> Check:
    bad = [pair for pair in pairs if test(pair)]
    return Check(name, "0", str(len(bad)), not bad, title(bad[0]) if bad else "")


def _following(name: str, found: list[tuple[Pair, Agreement]]) -> list[Check]:
    if not found:
        return []
    correlation = median(one.correlation for _, one in found)
    slope = median(one.slope for _, one in found)
    low, lowest = min(found, key=lambda item: item[1].correlation)
    odd, oddest = max(found, key=lambda item: abs(item[1].slope - sum(SLOPE) / 2))
    least = CORRELATION[name]
    label = f"{name} ({len(found)} pairs)"
    return [
        Check(
            f"{label} correlation",
            f">= {least:g}",
            f"{correlation:.3f}",
            correlation >= least,
            f"{lowest.correlation:.3f} {title(low)}",
        ),
        Check(
            f"{label} slope",
            f"{SLOPE[0]:g} .. {SLOPE[1]:g}",
            f"{slope:.2f}",
            SLOPE[0] <= slope <= SLOPE[1],
            f"{oddest.slope:.2f} {title(odd)}",
        ),
    ]


def _leaking(name: str, found: list[tuple[Pair, float]]) -> list[Check]:
    if not found:
        return []
    worst, most = max(found, key=lambda item: abs(item[1]))
    middle = median(abs(change) for _, change in found)
    passed = abs(most) <= LEAK
    return [Check(name, f"<= {LEAK:.0%} each", f"median {middle:.1%}", passed, f"{most:+.1%} {title(worst)}")]
