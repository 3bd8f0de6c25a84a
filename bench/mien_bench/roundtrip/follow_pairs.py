"""Measurements of each driver and portrait for `mien bench follow`, and the requirements on all pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.face.measures import CHANNELS, PROPORTIONS, channels_over_time
from mien_bench.roundtrip.recording import sound_offset
from mien_bench.roundtrip.reenacted import Answer, Performance
from mien_bench.roundtrip.track_measures import Agreement, Leak, agreements, calm_frames, leaks

Array = NDArray[np.float64]
CORRELATION: Final = {"mouth": 0.9, "eyes": 0.8, "yaw": 0.9, "pitch": 0.85, "roll": 0.95}
"""Least, in the median over the pairs whose driver moves the channel."""
SLOPE: Final = (0.5, 1.3)
"""From, to; in the median over the same pairs."""
LEAK: Final = 0.03
"""Most that a proportion may change in near-neutral frames, in the median over a pair's frames; of every pair."""
SOUND_MS: Final = 40.0
RATE_SHARE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Container:
    """Driver against output."""

    frames: tuple[int, int]
    rate: tuple[float, float]
    duration: tuple[float, float]
    """Seconds."""
    latest: float
    """Milliseconds by which the time of a frame differs at most; infinite where their number does."""
    sound: float | None
    """Milliseconds by which the sound comes later; None where the driver has none."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of the table."""

    driver: str
    portrait: str
    trouble: str | None = None
    """The error that stopped it; then nothing below is known."""
    container: Container | None = None
    lost: int = 0
    """Output frames in which no face is found although the driver shows one."""
    output: Mapping[str, Agreement] = field(default_factory=dict)
    """How landmarks detected in the output follow the driver's."""
    target: Mapping[str, Agreement] = field(default_factory=dict)
    """How the target shapes follow: what is lost between them and `output` is lost in the pixels."""
    calm: int = 0
    """Near-neutral frames."""
    output_leak: Mapping[str, Leak] = field(default_factory=dict)
    target_leak: Mapping[str, Leak] = field(default_factory=dict)
    seconds: float = 0.0
    """That it took."""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def compare(
    performance: Performance, answer: Answer, portrait: str, rest: tuple[Array, Array | None], seconds: float
) -> Pair:
    """Measure an answer; `rest` is what `seen_at_rest` gave for the portrait."""
    target, found = channels_over_time(answer.target), channels_over_time(answer.detected)
    count = min(len(performance.channels), len(target), len(found))
    driver = performance.channels[:count]
    calm = calm_frames(performance.motions)
    shown = ~np.isnan(driver[:, 0])
    return Pair(
        driver=performance.name,
        portrait=portrait,
        container=_container(performance, answer),
        lost=int((shown & np.isnan(found[:count, 0])).sum()),
        output=agreements(driver, found[:count]),
        target=agreements(driver, target[:count]),
        calm=len(calm),
        output_leak=leaks(answer.detected, rest[1], calm),
        target_leak=leaks(answer.target, rest[0], calm),
        seconds=seconds,
    )


def _container(performance: Performance, answer: Answer) -> Container:
    given, made = performance.recording, answer.recording
    alike = len(given.times) == len(made.times)
    offset = sound_offset(given, made)
    return Container(
        frames=(len(performance.motions), len(answer.detected)),
        rate=(given.rate, made.rate),
        duration=(given.duration, made.duration),
        latest=float(np.abs(given.times - made.times).max()) * 1e3 if alike else float("inf"),
        sound=None if offset is None else offset * 1e3,
    )


@dataclass(frozen=True, slots=True)
class PairCheck:
    """One requirement."""

    name: str
    wanted: str
    got: str
    passed: bool
    worst: str = ""
    """The pair that is worst at it."""


def judge(pairs: Sequence[Pair]) -> list[PairCheck]:
    """Every requirement that at least one pair can show."""
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
        checks += _following(name, [(pair, pair.output[name]) for pair in whole if name in pair.output])
    for name in PROPORTIONS:
        checks += _leaking(f"{name} of target", [(p, p.target_leak[name].median) for p in whole if p.target_leak])
        checks += _leaking(f"{name} in the output", [(p, p.output_leak[name].median) for p in whole if p.output_leak])
    return checks


def title(pair: Pair) -> str:
    """The name of a pair."""
    return f"{pair.driver} x {pair.portrait}"


def _of_container(test: Callable[[Container], bool]) -> Callable[[Pair], bool]:
    return lambda pair: pair.container is not None and test(pair.container)


def _count(name: str, pairs: Sequence[Pair], test: Callable[[Pair], bool]) -> PairCheck:
    bad = [pair for pair in pairs if test(pair)]
    return PairCheck(name, "0", str(len(bad)), not bad, title(bad[0]) if bad else "")


def _following(name: str, found: list[tuple[Pair, Agreement]]) -> list[PairCheck]:
    if not found:
        return []
    correlation = median(one.correlation for _, one in found)
    slope = median(one.slope for _, one in found)
    low, lowest = min(found, key=lambda item: item[1].correlation)
    odd, oddest = max(found, key=lambda item: abs(item[1].slope - sum(SLOPE) / 2))
    least = CORRELATION[name]
    label = f"{name} ({len(found)} pairs)"
    return [
        PairCheck(
            f"{label} correlation",
            f">= {least:g}",
            f"{correlation:.3f}",
            correlation >= least,
            f"{lowest.correlation:.3f} {title(low)}",
        ),
        PairCheck(
            f"{label} slope",
            f"{SLOPE[0]:g} .. {SLOPE[1]:g}",
            f"{slope:.2f}",
            SLOPE[0] <= slope <= SLOPE[1],
            f"{oddest.slope:.2f} {title(odd)}",
        ),
    ]


def _leaking(name: str, found: list[tuple[Pair, float]]) -> list[PairCheck]:
    if not found:
        return []
    worst, most = max(found, key=lambda item: abs(item[1]))
    middle = median(abs(change) for _, change in found)
    passed = abs(most) <= LEAK
    return [PairCheck(name, f"<= {LEAK:.0%} each", f"median {middle:.1%}", passed, f"{most:+.1%} {title(worst)}")]
