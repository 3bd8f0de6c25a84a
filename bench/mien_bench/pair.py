"""The numbers of one driver and one portrait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.face.measures import channels_over_time
from mien_bench.agreement import Agreement, agreements
from mien_bench.answer import Answer
from mien_bench.leak import Leak, calm_frames, leaks
from mien_bench.performance import Performance
from mien_bench.recording import sound_offset

Array = NDArray[np.float64]


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
    """What stopped it, and then nothing below is known."""
    container: Container | None = None
    lost: int = 0
    """Output frames in which no face is found although the driver shows one."""
    found: Mapping[str, Agreement] = field(default_factory=dict)
    """How landmarks found again in the output follow the driver's."""
    target: Mapping[str, Agreement] = field(default_factory=dict)
    """How the shapes aimed at do: what is lost between them and `found` is lost in the pixels."""
    calm: int = 0
    """Near-neutral frames."""
    found_leak: Mapping[str, Leak] = field(default_factory=dict)
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
    target, found = channels_over_time(answer.target), channels_over_time(answer.found)
    count = min(len(performance.channels), len(target), len(found))
    driver = performance.channels[:count]
    calm = calm_frames(performance.motions)
    shown = ~np.isnan(driver[:, 0])
    return Pair(
        driver=performance.name,
        portrait=portrait,
        container=_container(performance, answer),
        lost=int((shown & np.isnan(found[:count, 0])).sum()),
        found=agreements(driver, found[:count]),
        target=agreements(driver, target[:count]),
        calm=len(calm),
        found_leak=leaks(answer.found, rest[1], calm),
        target_leak=leaks(answer.target, rest[0], calm),
        seconds=seconds,
    )


def _container(performance: Performance, answer: Answer) -> Container:
    given, made = performance.recording, answer.recording
    alike = len(given.times) == len(made.times)
    offset = sound_offset(given, made)
    return Container(
        frames=(len(performance.motions), len(answer.found)),
        rate=(given.rate, made.rate),
        duration=(given.duration, made.duration),
        latest=float(np.abs(given.times - made.times).max()) * 1e3 if alike else float("inf"),
        sound=None if offset is None else offset * 1e3,
    )
