from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from mien.capture.synthetic import number_of, pattern, pattern_source, tone_of
from mien.frame import Frame
from mien.sound.sound import Sound, SoundFormat


def test_frames_carry_their_numbers() -> None:
    assert [number_of(pattern(64, 48, number)) for number in (0, 1, 77, 4095)] == [0, 1, 77, 4095]


def test_known_times_and_sound() -> None:
    format = SoundFormat(8000, 2)
    with pattern_source(64, 48, rate=Fraction(30000, 1001), count=31, sound=format) as source:
        items = list(source)
    frames = [item for item in items if isinstance(item, Frame)]
    sounds = [item for item in items if isinstance(item, Sound)]
    assert [frame.pts for frame in frames] == list(range(31))
    assert frames[0].time_base == Fraction(1001, 30000)
    samples = np.concatenate([sound.samples for sound in sounds], axis=1)
    assert samples.shape == (2, round(31 * 1001 / 30000 * 8000))
    assert np.array_equal(samples, tone_of(format)(0, samples.shape[1]))
    assert sounds[3].pts == sum(sound.samples.shape[1] for sound in sounds[:3])


def test_variable_rate() -> None:
    times = [0, 10, 11, 50]
    source = pattern_source(64, 48, rate=25, count=4, times=times, time_base=Fraction(1, 100))
    frames = [item for item in source if isinstance(item, Frame)]
    assert [frame.pts for frame in frames] == times
    assert [frame.duration for frame in frames] == [10, 1, 39, 4]
    assert source.info.duration == pytest.approx(0.54)
