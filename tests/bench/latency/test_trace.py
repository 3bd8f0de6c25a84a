from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mien_bench.latency.chirps import FORMAT, with_chirps
from mien_bench.latency.timecode import NUMBER_BITS, Code
from mien_bench.latency.trace import Observed, Trace, TraceSummary, evaluate

INTERVAL = 0.04


def _seen(numbers: Sequence[int | None], late: float = 0.05, sent: int | None = None) -> TraceSummary:
    """Pictures at 25 a second that show these numbers, each stamped `late` before it is seen; None: unreadable."""
    at = tuple(10 + place * INTERVAL for place in range(len(numbers)))
    codes = tuple(
        None if n is None else (Code.of(n, moment - late).number, Code.of(n, moment - late).time)
        for n, moment in zip(numbers, at, strict=True)
    )
    return evaluate(Observed(at, codes), sent=sent)


def test_latency_is_from_stamp_to_sight() -> None:
    found = _seen(range(50))
    assert found.percentile(50) == pytest.approx(50, abs=0.11)
    assert found.jitter == pytest.approx(0, abs=0.11)
    assert (found.pictures, found.unread, found.dropped, found.duplicates, found.reordered) == (50, 0, (), 0, 0)


@pytest.mark.parametrize(
    ("numbers", "dropped", "unread", "duplicates", "reordered"),
    [
        ([0, 1, 3, 4, 7], (2, 5, 6), 0, 0, 0),
        ([0, 1, 1, 2, 2, 2], (), 0, 3, 0),
        ([0, 2, 1, 3], (), 0, 0, 1),
        ([0, None, 2, 3], (), 1, 0, 0),
        ([0, None, 4], (1, 2), 1, 0, 0),
        ([None, None, 5, 6], (), 0, 0, 0),
        ([0, 3, 1, 4], (2,), 0, 0, 1),
    ],
)
def test_what_happened_to_frames_is_told(
    numbers: list[int | None], dropped: tuple[int, ...], unread: int, duplicates: int, reordered: int
) -> None:
    found = _seen(numbers)
    assert (found.dropped, found.unread, found.duplicates, found.reordered) == (dropped, unread, duplicates, reordered)


def test_where_nothing_may_be_lost_the_first_and_the_last_are_missed_too() -> None:
    assert _seen([2, 3, 5], sent=8).dropped == (0, 1, 4, 6, 7)
    assert _seen([2, 3, 5]).dropped == (4,)


def test_numbers_that_begin_anew_are_counted_on() -> None:
    last = (1 << NUMBER_BITS) - 1
    found = _seen([last - 1, last, last + 1, last + 3])
    assert found.dropped == (last + 2,)
    assert found.numbers == (last - 1, last, last + 1, last + 3)


def test_the_beginning_can_be_left_out() -> None:
    at = tuple(place * INTERVAL for place in range(100))
    codes = tuple((place, Code.of(0, moment - (1.0 if place < 25 else 0.02)).time) for place, moment in enumerate(at))
    found = evaluate(Observed(at, codes), leave_out=1.0)
    assert found.numbers[0] == 25
    assert found.percentile(100) == pytest.approx(20, abs=0.11)


def test_nothing_seen_is_no_figure() -> None:
    found = evaluate(Observed((), ()))
    assert np.isnan(found.percentile(50))
    assert found.read_share == 0.0


def test_sound_is_compared_with_the_picture_that_it_belongs_to() -> None:
    late, trace = 0.012, Trace()
    for number in range(60):
        seconds = 5 + number * INTERVAL
        trace.see(seconds, Code.of(number, seconds), seconds)
    starts = [round((5 + number * INTERVAL + late) * FORMAT.rate) for number in (0, 25, 50)]
    begin, rng = 4 * FORMAT.rate, np.random.default_rng(2)
    samples = with_chirps(begin, 5 * FORMAT.rate, starts)[0]
    noisy = (samples + rng.normal(0, 0.02, samples.shape)).astype(np.float32)
    for first in range(0, len(noisy), 960):
        trace.hear(noisy[first : first + 960], (begin + first) / FORMAT.rate)
    found = evaluate(Observed.from_json(trace.observed().as_json()))
    assert found.offset == pytest.approx([1e3 * late] * 3, abs=0.05)


def test_bursts_of_long_sound_are_all_found_once() -> None:
    trace, seconds = Trace(), 31
    starts = [round((0.31 + n * 0.997) * FORMAT.rate) for n in range(30)]
    samples = with_chirps(0, seconds * FORMAT.rate, starts)[0]
    for first in range(0, len(samples), 1111):
        trace.hear(samples[first : first + 1111], first / FORMAT.rate)
    assert trace.bursts() == pytest.approx([start / FORMAT.rate for start in starts], abs=1e-4)


def test_bursts_on_both_sides_of_a_gap_keep_their_places() -> None:
    trace = Trace()
    for begin in (0, 10):
        trace.hear(with_chirps(begin * FORMAT.rate, FORMAT.rate, [begin * FORMAT.rate + 4800])[0], float(begin))
    assert trace.bursts() == pytest.approx([0.1, 10.1], abs=1e-4)
    assert Trace().bursts() == ()
