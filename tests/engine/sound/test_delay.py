from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.sound.delay import LONGEST, MICROPHONE, SoundDelay, VideoDelay, watch_delay
from mien.sound.sound import SoundFormat

RATE = 48000
FORMAT = SoundFormat(RATE, 1)
CHUNK = 480
LIPS = 0.04  # seconds by which sound may be off the lips


def _tone(seconds: float, pitch: float = 220.0) -> NDArray[np.float32]:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(0.5 * np.sin(2 * np.pi * pitch * time), dtype=np.float32)[None]


def _through(samples: NDArray[np.float32], delay: Callable[[float], float], chunk: int = CHUNK) -> NDArray[np.float32]:
    line = SoundDelay(FORMAT)
    starts = range(0, samples.shape[1], chunk)
    return np.concatenate([line(samples[:, i : i + chunk], delay(i / RATE)) for i in starts], axis=1)


@pytest.mark.parametrize("chunk", [160, 480, 1024, 5000])
def test_a_constant_delay_gives_the_same_samples_later(chunk: int) -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, (1, RATE // 2)).astype(np.float32)
    out = _through(samples, lambda _: 0.05, chunk)
    late = round(0.05 * RATE)
    assert (out[:, :late] == 0).all()
    np.testing.assert_allclose(out[:, late:], samples[:, :-late], atol=1e-4)


def test_no_delay_is_the_sound_itself() -> None:
    samples = _tone(0.3)
    np.testing.assert_allclose(_through(samples, lambda _: 0.0), samples, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.0, 0.4), min_size=2, max_size=6))
def test_no_change_of_the_delay_clicks(delays: list[float]) -> None:
    samples = _tone(0.2 * len(delays))
    out = _through(samples, lambda seconds: delays[min(int(seconds / 0.2), len(delays) - 1)])
    heard = out[0, round((max(delays) + 0.05) * RATE) :]  # after the silence at the beginning
    steepest = np.abs(np.diff(samples[0])).max()
    # Where two places of one tone are out of phase, the fade itself adds at most its own slope: pi / 2 per fade.
    fade = 1.0 * np.pi / 2 / (0.012 * RATE)
    if len(heard) > 1:
        assert np.abs(np.diff(heard)).max() <= steepest * 1.02 + fade


def _offsets(latency: Callable[[int], float], frames: int) -> NDArray[np.float64]:
    """By how many seconds the sound is off each picture of a run at 25 frames per second."""
    line, video, off = SoundDelay(FORMAT), VideoDelay(), []
    for number in range(frames):
        video = watch_delay(video, latency(number))
        assert video.seconds is not None
        for _ in range(4):
            line(_tone(CHUNK / RATE), video.seconds)
        off.append(abs(line.seconds - latency(number)))
    return np.array(off)


def test_a_change_of_level_is_followed_before_anyone_notices() -> None:
    """Frames take 30 ms, then, under load, 95 ms, then 45 ms."""
    off = _offsets(lambda number: 0.03 if number < 250 else 0.095 if number < 500 else 0.045, 750)
    assert (off > LIPS).sum() <= 2 * 3, "more than three frames after a change"
    assert off[240:250].max() <= MICROPHONE.far
    assert off[490:500].max() <= MICROPHONE.far


def test_frames_that_take_long_and_short_in_turns_do_not_drag_the_sound_about() -> None:
    off = _offsets(lambda number: 0.08 if number % 2 else 0.03, 200)
    assert off[10:].max() < LIPS
    np.testing.assert_allclose(off[10:], 0.025, atol=0.001)


def test_jitter_of_frames_keeps_lips_and_sound_together() -> None:
    late = np.random.default_rng(3).gamma(2.0, 0.008, 1000) + 0.02
    off = _offsets(lambda number: float(late[number]), 1000)
    assert np.percentile(off, 95) < LIPS


def test_a_small_change_is_reached_by_stretching() -> None:
    line = SoundDelay(FORMAT)
    line(_tone(0.1), 0.050)
    reached = [line(_tone(0.01), 0.060) is not None and line.seconds for _ in range(400)]
    steps = np.abs(np.diff(reached))
    assert steps.max() <= 0.01 * 0.005, "slowly"
    assert reached[-1] == pytest.approx(0.060, abs=MICROPHONE.near + 1e-4)


def test_one_late_frame_does_not_move_the_sound() -> None:
    video = VideoDelay()
    for latency in [0.03] * 9 + [3.0] + [0.03] * 2:
        video = watch_delay(video, latency)
        assert video.seconds == pytest.approx(0.03)


def test_two_channels_stay_together_and_a_delay_has_an_end() -> None:
    line = SoundDelay(SoundFormat(RATE, 2))
    left = _tone(0.1)[0]
    out = line(np.stack([left, -left]), 99.0)
    assert out.shape == (2, len(left))
    assert line.seconds == LONGEST
    np.testing.assert_array_equal(out[0], -out[1])


def test_nothing_in_gives_nothing_out() -> None:
    assert SoundDelay(FORMAT)(np.zeros((1, 0), np.float32), 0.1).shape == (1, 0)
