"""Sound that was lost, made up."""

from __future__ import annotations

import numpy as np
import pytest

from mien.serve.webrtc.decoding import RATE, Concealment

RUN = 960


def voice(count: int, hertz: float = 130.0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """(2, count): some harmonics, as of a voice."""
    at = np.arange(count) / RATE
    wave = sum(np.sin(2 * np.pi * hertz * k * at) / k for k in range(1, 6)) * 0.2
    return np.repeat(wave[None], 2, axis=0).astype(np.float32)


@pytest.mark.parametrize("hertz", [90.0, 130.0, 311.0])
def test_a_lost_run_goes_on_as_the_sound_before(hertz: float) -> None:
    sound = voice(6 * RUN, hertz)
    concealment = Concealment()
    for run in range(3):
        concealment.heard(sound[:, run * RUN : (run + 1) * RUN])
    made, joined = concealment.made_up(RUN, sound[:, 4 * RUN : 5 * RUN])
    truth = sound[:, 3 * RUN : 4 * RUN]
    assert np.corrcoef(made[0], truth[0])[0, 1] > 0.9
    whole = np.concatenate([sound[:, : 3 * RUN], made, joined], axis=1)[0]
    assert np.abs(np.diff(whole)).max() < 1.5 * np.abs(np.diff(sound[0])).max()  # no click
    assert np.array_equal(joined[:, 200:], sound[:, 4 * RUN + 200 : 5 * RUN])


def test_a_longer_gap_fades_and_a_long_one_is_silent() -> None:
    sound = voice(3 * RUN)
    concealment = Concealment()
    concealment.heard(sound)
    made, _ = concealment.made_up(4 * RUN, sound[:, :RUN])
    assert np.abs(made[:, -10:]).max() < 1e-3
    assert np.abs(made[:, :RUN]).max() > 0.2
    silent, after = concealment.made_up(RATE, sound[:, :RUN])
    assert not silent.any()
    assert np.array_equal(after, sound[:, :RUN])


def test_before_anything_was_heard_there_is_silence() -> None:
    made, _ = Concealment().made_up(RUN, voice(RUN))
    assert not made.any()
