from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from tests.engine.pipeline.fakes import INTERVAL, SOUND, frame, sound

from mien.pipeline.sound_way import WAITING, SoundWay
from mien.sound.sound import Sound
from mien.stats import LiveCounters

CHUNK = SOUND.rate // 25


class Heard:
    """A virtual microphone that keeps what it is given."""

    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency
        self.runs: list[Sound] = []

    def play(self, sound: Sound) -> None:
        self.runs.append(sound)

    @property
    def samples(self) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return np.concatenate([run.samples[0] for run in self.runs])


def _click(number: int, at: int) -> Sound:
    """Silence but for a click in run `at`."""
    samples = np.zeros((1, CHUNK), np.float32)
    samples[0, 0] = float(number == at)
    return replace(sound(number), samples=samples)


@pytest.mark.parametrize("latency", [0.07, 0.1, 0.2])
@pytest.mark.parametrize("early", [0.0, 0.02], ids=["as it was heard", "a little earlier"])
def test_a_click_is_heard_when_its_picture_is_shown(latency: float, early: float) -> None:
    """Runs of 40 ms come when they have been heard in full, or `early` seconds before that."""
    heard, counters = Heard(latency=0.02), LiveCounters()
    way, clicked = SoundWay(counters, heard), 60
    for number in range(100):
        way.see(frame(number, captured_at=100.0 + INTERVAL * number), Fraction(0))
        way.hear(_click(number, clicked), 100.0 + INTERVAL * (number + 1) - early)
        way.show(latency)
    place = int(np.abs(heard.samples).argmax())
    # What is played at sample 0 of the stream begins when the first run came.
    played_at = 100.0 + INTERVAL - early + place / SOUND.rate + heard.latency
    shown_at = 100.0 + INTERVAL * clicked + latency
    assert abs(played_at - shown_at) < 0.01
    assert counters.sound.count > 90
    assert counters.sound.as_json()["within_40_ms"] > 0.95


def test_lips_and_sound_stay_together_while_the_level_changes() -> None:
    heard, counters = Heard(), LiveCounters()
    way = SoundWay(counters, heard)
    for number in range(600):
        way.see(frame(number, captured_at=100.0 + INTERVAL * number), Fraction(0))
        way.hear(sound(number), 100.0 + INTERVAL * (number + 1))
        way.show(0.045 if number < 200 else 0.095 if number < 400 else 0.05)
    assert counters.sound.as_json()["within_40_ms"] > 0.98
    assert abs(counters.sound.as_json()["mean_ms"]) < 5


def test_a_microphone_is_placed_on_the_pictures_time_line_without_gaps() -> None:
    way = SoundWay(LiveCounters(), deaf=True)
    way.listen(replace(sound(0), pts=123_456), 99.0)  # before the first picture: dropped
    for number in range(50):
        way.see(frame(number, captured_at=100.0 + INTERVAL * number), Fraction(0))
        way.hear(sound(number), 100.0 + INTERVAL * number)  # the source's own, to which it is deaf
        jitter = 0.01 * (number % 3)
        way.listen(replace(sound(number), pts=777_000 + CHUNK * number), 100.0 + INTERVAL * (number + 1) + jitter)
    runs = list(way.fetch())
    assert len(runs) == 50
    begins = [run.seconds for run in runs]
    assert begins == pytest.approx([INTERVAL * number for number in range(50)], abs=3e-3)
    ends = [run.pts + run.samples.shape[1] for run in runs]
    assert [run.pts for run in runs[1:]] == ends[:-1]


def test_what_nobody_fetches_is_bounded_and_counted() -> None:
    counters = LiveCounters()
    way = SoundWay(counters)
    for number in range(WAITING + 30):
        way.hear(sound(number), 0.0)
    kept = list(way.fetch())
    assert len(kept) == WAITING
    assert kept[0].pts == sound(30).pts
    assert counters.sound_dropped == 30
