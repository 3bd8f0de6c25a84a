from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from mien.emit.sink import MemorySink
from mien.emit.strip import Carried, carry, rows_of
from mien.frame import Frame
from mien.sound.sound import Sound, SoundFormat


def _noise(height: int, width: int, channels: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(3).integers(0, 256, (height, width, channels), np.uint8)


def test_only_the_topmost_fifteenth_is_carried() -> None:
    driver, portrait = _noise(480, 640), np.zeros((480, 640, 3), np.uint8)
    carry(driver, portrait)
    assert rows_of(480) == 32
    assert (portrait[:32] == driver[:32]).all()
    assert not portrait[32:].any()


@pytest.mark.parametrize("size", [(512, 512), (240, 320), (720, 405), (14, 9)])
def test_it_is_scaled_to_pictures_of_another_size(size: tuple[int, int]) -> None:
    driver = np.zeros((480, 640, 3), np.uint8)
    driver[:16, :320] = 200
    driver[16:32, 320:] = 100
    portrait = np.zeros((*size, 3), np.uint8)
    carry(driver, portrait)
    rows, half = rows_of(size[0]), size[1] // 2
    assert (portrait[0, : half - 1] == portrait[0, 0]).all()
    assert set(np.unique(portrait[:rows])) <= {0, 100, 200}
    assert not portrait[rows:].any()


def test_an_alpha_becomes_opaque_under_it() -> None:
    portrait = np.zeros((30, 30, 4), np.uint8)
    carry(_noise(30, 30), portrait)
    assert (portrait[:2, :, 3] == 255).all()
    assert not portrait[2:, :, 3].any()


def test_a_sink_shows_it_on_a_copy_and_passes_all_else_on() -> None:
    inner = MemorySink()
    captured = Frame(_noise(60, 80), 7, Fraction(1, 25))
    answer = captured.answer(np.zeros((60, 80, 3), np.uint8))
    slate = Frame(np.zeros((60, 80, 3), np.uint8), 8, Fraction(1, 25))
    sound = Sound(np.zeros((1, 4), np.float32), 0, Fraction(1, 8000), SoundFormat(8000, 1))
    with Carried(inner) as sink:
        sink.write(answer)
        sink.write_sound(sound)
        sink.write(slate)
    assert not answer.pixels.any()
    assert (inner.frames[0].pixels[:4] == captured.pixels[:4]).all()
    assert inner.frames[0].answers is captured
    assert inner.frames[1] is slate
    assert inner.sounds == [sound]
    assert inner.finished
