from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mien import emit
from mien.emit.sink import SinkSettings
from mien.frame import Frame
from mien.sound.sound import Sound, SoundFormat
from mien_bench.roundtrip.recording import read_recording, sound_offset

RATE = Fraction(25)
SOUND = SoundFormat(rate=16_000, channels=2)


def _clip(path: Path, delay: float, *, sound: bool = True) -> Path:
    """Three seconds of grey; noise that swells at random times comes `delay` seconds late."""
    random = np.random.default_rng(3)
    loudness = np.repeat(random.uniform(0, 0.5, 60), SOUND.rate // 20)
    late = np.concatenate([np.zeros(round(delay * SOUND.rate)), loudness])[: 3 * SOUND.rate]
    wave = np.tile((late * random.uniform(-1, 1, len(late))).astype(np.float32), (2, 1))
    settings = SinkSettings(64, 48, RATE, 1 / RATE, SOUND if sound else None)
    with emit.open(str(path), settings, mark=False) as sink:
        for number in range(75):
            sink.write(Frame(np.full((48, 64, 3), 90, np.uint8), number, 1 / RATE))
        sink.write_sound(Sound(wave, 0, Fraction(1, SOUND.rate), SOUND))
    return path


def test_the_time_line_of_a_file(tmp_path: Path) -> None:
    found = read_recording(_clip(tmp_path / "a.mp4", 0.0))
    assert found.times == pytest.approx(np.arange(75) / 25, abs=1e-6)
    assert found.rate == pytest.approx(25)
    assert found.duration == pytest.approx(3.0, abs=1e-3)


@pytest.mark.parametrize("delay", [0.0, 0.025, 0.12])
def test_a_delay_of_sound_is_found_to_a_few_milliseconds(delay: float, tmp_path: Path) -> None:
    one, other = _clip(tmp_path / "one.mp4", 0.0), _clip(tmp_path / "other.mkv", delay)
    assert sound_offset(read_recording(one), read_recording(other)) == pytest.approx(delay, abs=0.004)


def test_a_file_without_sound_has_no_offset(tmp_path: Path) -> None:
    silent = read_recording(_clip(tmp_path / "one.mp4", 0.0, sound=False))
    assert silent.loudness is None
    assert sound_offset(silent, silent) is None
