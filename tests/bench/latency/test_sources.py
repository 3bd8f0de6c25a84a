from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from mien.capture.source import Source
from mien.capture.synthetic import array_source, pattern_source
from mien.clock import ManualClock
from mien.errors import SourceError
from mien.frame import Frame
from mien.sound.sound import Sound
from mien_bench.latency.chirps import EVERY, FORMAT, heard
from mien_bench.latency.sources import BLOCK, Delayed, Losing, Stamped, delay_of
from mien_bench.latency.timecode import Code, read
from mien_bench.latency.trace import Trace, evaluate

INTERVAL = 0.04


class Ticking(Losing):
    """Gives the frames of another source, one every 40 ms of a clock."""

    def __init__(self, source: Source, clock: ManualClock) -> None:
        super().__init__(source, every=1 << 30)
        self._clock = clock

    def __iter__(self) -> Iterator[Frame | Sound]:
        for item in super().__iter__():
            self._clock.advance(INTERVAL)
            yield item


def _pattern(count: int) -> Source:
    return pattern_source(160, 120, count=count)


def test_each_frame_says_which_it_is_and_when_it_came() -> None:
    clock = ManualClock(5.0)
    frames = []
    with Stamped(_pattern(10), clock) as source:
        for item in source:
            if isinstance(item, Frame):
                frames.append((clock.now(), item))
                clock.advance(INTERVAL)
    assert [read(frame.pixels) for _, frame in frames] == [Code.of(n, at) for n, (at, _) in enumerate(frames)]
    assert all(frame.captured_at == at for at, frame in frames)
    assert source.sent == 10


def test_the_other_source_keeps_its_pictures() -> None:
    pixels = np.full((120, 160, 3), 90, np.uint8)
    before = pixels.copy()
    list(Stamped(array_source([pixels]), ManualClock()))
    assert (pixels == before).all()


def test_it_ends_after_as_many_frames_as_are_wanted() -> None:
    items = list(Stamped(_pattern(50), ManualClock(), count=7))
    assert sum(isinstance(item, Frame) for item in items) == 7
    assert sum(item.samples.shape[1] for item in items if isinstance(item, Sound)) == round(7 * INTERVAL * FORMAT.rate)


def test_bursts_begin_with_every_25th_frame_and_sound_is_whole() -> None:
    sounds = [item for item in Stamped(_pattern(80), ManualClock()) if isinstance(item, Sound)]
    ends = [sound.pts + sound.samples.shape[1] for sound in sounds]
    assert [sound.pts for sound in sounds] == [0, *ends[:-1]]
    places = heard(np.concatenate([sound.samples[0] for sound in sounds]))
    assert places == pytest.approx([n * INTERVAL * FORMAT.rate for n in (0, EVERY, 2 * EVERY, 3 * EVERY)], abs=1)


def test_sound_comes_when_it_has_been_heard_in_full() -> None:
    seconds = -INTERVAL
    for item in Stamped(_pattern(10), ManualClock()):
        if isinstance(item, Frame):
            seconds = item.seconds
        else:
            assert item.seconds + item.samples.shape[1] / FORMAT.rate == pytest.approx(seconds + INTERVAL)


def test_every_hundredth_frame_is_lost_and_found_missing() -> None:
    clock, trace = ManualClock(), Trace()
    for item in Losing(Stamped(_pattern(1000), clock, sound=False), 100):
        assert isinstance(item, Frame)
        clock.advance(0.01)
        trace.see(clock.now(), read(item.pixels), item.seconds)
    found = evaluate(trace.observed(), sent=1000)
    assert found.dropped == tuple(range(99, 1000, 100))
    assert found.percentile(50) == pytest.approx(10, abs=0.11)


@pytest.mark.parametrize("delays", [(0.0,), (0.05,), (0.2,), (0.0, 0.05, 0.2)])
def test_a_planted_delay_is_found(delays: tuple[float, ...]) -> None:
    clock, trace, count = ManualClock(), Trace(), BLOCK * len(delays)
    stamps = ManualClock()
    source = Stamped(Ticking(_pattern(count), stamps), stamps, sound=False)
    line = Delayed(source, delays, clock, wait=clock.advance)
    for item in line:
        assert isinstance(item, Frame)
        clock.advance(max(item.captured_at - clock.now(), 0.0))
        trace.see(clock.now(), read(item.pixels), item.seconds)
    found = evaluate(trace.observed(), sent=count)
    assert found.dropped == ()
    for number in range(len(delays)):
        first = number * BLOCK
        settled = found.latency[first + 50 : first + BLOCK]
        assert settled == pytest.approx([1e3 * delays[number]] * 50, abs=0.11)
    assert np.array(line.held) * 1e3 == pytest.approx(np.array(found.latency), abs=0.11)


def test_delays_go_round_by_blocks() -> None:
    assert [delay_of(n, (0.0, 0.2)) for n in (0, BLOCK - 1, BLOCK, 2 * BLOCK)] == [0.0, 0.0, 0.2, 0.0]


def test_what_breaks_before_the_delay_line_is_told_behind_it() -> None:
    class Broken(Losing):
        def __iter__(self) -> Iterator[Frame | Sound]:
            yield from super().__iter__()
            raise SourceError("it broke off")

    line = Delayed(Broken(_pattern(3), 100), (0.0,), ManualClock(), wait=lambda seconds: None)
    with pytest.raises(SourceError, match="broke off"):
        list(line)


def test_a_delay_line_can_be_left() -> None:
    clock = ManualClock()
    with Delayed(Stamped(_pattern(500), clock), (0.1,), clock, wait=clock.advance) as line:
        items = iter(line)
        assert isinstance(next(items), Frame)
    assert list(items) == []
