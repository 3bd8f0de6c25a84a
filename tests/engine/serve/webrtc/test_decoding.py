"""The thread that decodes: what waits is bounded, and nothing that comes ends it."""

from __future__ import annotations

import random
from itertools import islice

import numpy as np
import pytest
from tests.engine.serve.webrtc.client import number_in
from tests.engine.serve.webrtc.encoded import INTERVAL, encoded

from mien.clock import ManualClock
from mien.frame import Frame
from mien.handover import DropQueue
from mien.serve.webrtc.decoding import PICTURES, SOUNDS, Encoded, MediaDecoder, Waiting
from mien.serve.webrtc.encoders import SoundEncoder
from mien.serve.webrtc.settings import CODECS, Codec
from mien.sound.sound import Sound

LARGEST = 1920 * 1088


def pictures(codec: Codec, count: int, *, size: tuple[int, int] = (320, 240)) -> list[Encoded]:
    packets = encoded(codec, count, size=size)
    return [Encoded(codec, bytes(packet), number * INTERVAL, 1.0, number == 0) for number, packet in enumerate(packets)]


def put_all(items: list[Encoded], *, largest: int = LARGEST) -> tuple[MediaDecoder, list[Frame | Sound]]:
    """What comes out, each waited for where one is expected."""
    out: DropQueue[Frame | Sound] = DropQueue({Frame: 1000, Sound: 1000}, type)
    decoding = MediaDecoder(out, ManualClock(1.0), largest=largest, threads=1)
    decoding.start()
    for item in items:
        while not decoding.waiting.put(item) and item.key:
            pass
    taken: list[Frame | Sound] = []
    decoding.waiting.put(Encoded(None, bytes(SoundEncoder().encode(np.zeros((2, 960), np.float32), 0) or b""), 0, 1.0))
    for item_out in out:
        taken.append(item_out)
        if isinstance(item_out, Sound):
            break
    decoding.close()
    decoding.join()
    return decoding, taken


@pytest.mark.parametrize("codec", CODECS)
def test_each_picture_comes_out_at_once_with_its_time(codec: Codec) -> None:
    decoding, taken = put_all(pictures(codec, 20))
    frames = [item for item in taken if isinstance(item, Frame)]
    assert [number_in(frame.pixels) for frame in frames] == list(range(20))
    assert [frame.pts for frame in frames] == [number * INTERVAL for number in range(20)]
    assert {frame.captured_at for frame in frames} == {1.0}
    assert (decoding.frames, decoding.broken, decoding.size) == (20, 0, (320, 240))


@pytest.mark.parametrize("codec", CODECS)
def test_a_picture_of_another_size_has_that_size(codec: Codec) -> None:
    _, taken = put_all([*pictures(codec, 2), *pictures(codec, 2, size=(640, 480))])
    assert [item.size for item in taken if isinstance(item, Frame)] == [(320, 240)] * 2 + [(640, 480)] * 2


@pytest.mark.parametrize("codec", CODECS)
def test_garbage_is_counted_and_what_follows_is_seen(codec: Codec) -> None:
    rng = random.Random(0)
    garbage = [Encoded(codec, rng.randbytes(200), 0, 1.0, True) for _ in range(5)]
    decoding, taken = put_all([*garbage, *pictures(codec, 3)])
    numbers = [number_in(item.pixels) for item in taken if isinstance(item, Frame) and item.size == (320, 240)]
    assert numbers[-3:] == [0, 1, 2]
    assert decoding.broken > 0
    assert decoding.needs_key


def test_a_picture_that_is_too_large_is_broken() -> None:
    decoding, taken = put_all(pictures("h264", 2, size=(640, 480)), largest=320 * 240)
    assert not [item for item in taken if isinstance(item, Frame)]
    assert decoding.broken == 2


def test_sound_is_float_in_two_channels() -> None:
    encoder = SoundEncoder()
    wave = np.sin(2 * np.pi * 440 * np.arange(960 * 10) / 48_000).astype(np.float32) * 0.5
    items = []
    for first in range(0, wave.size, 960):
        packet = encoder.encode(np.repeat(wave[None, first : first + 960], 2, axis=0), first)
        if packet is not None:
            items.append(Encoded(None, bytes(packet), first, 1.0))
    out: DropQueue[Frame | Sound] = DropQueue({Frame: 4, Sound: 100}, type)
    decoding = MediaDecoder(out, ManualClock(), largest=LARGEST, threads=1)
    for item in items:
        decoding.waiting.put(item)
    decoding.start()
    runs = [out.take() for _ in items]
    decoding.close()
    decoding.join()
    assert all(isinstance(run, Sound) and run.samples.shape[0] == 2 for run in runs)
    loud = np.concatenate([run.samples for run in runs if isinstance(run, Sound)], axis=1)
    assert loud.dtype == np.float32
    assert 0.3 < float(np.abs(loud[:, 4800:]).max()) < 0.7


def test_pictures_before_a_key_frame_are_left_out() -> None:
    waiting = Waiting()
    items = pictures("h264", 3)
    assert not waiting.put(items[1])
    assert waiting.put(items[0])
    assert waiting.put(items[2])
    assert waiting.dropped == 1


def test_too_many_pictures_wait_for_the_next_key_frame() -> None:
    waiting = Waiting()
    first, second = pictures("h264", 2)
    waiting.put(first)
    for _ in range(PICTURES - 1):
        assert waiting.put(second)
    assert not waiting.put(second)
    assert not waiting.put(second)
    assert waiting.dropped == PICTURES + 2
    assert waiting.put(first)


def test_sound_that_waits_is_bounded_and_survives_pictures() -> None:
    waiting = Waiting()
    sound = Encoded(None, b"x", 0, 0.0)
    for _ in range(3 * SOUNDS):
        assert waiting.put(sound)
    first, second = pictures("h264", 2)
    for item in [first, *[second] * (2 * PICTURES)]:
        waiting.put(item)
    taken = list(islice(waiting, SOUNDS))
    assert taken == [sound] * SOUNDS


def test_it_closes_while_it_waits() -> None:
    decoding = MediaDecoder(DropQueue({Frame: 4, Sound: 100}, type), ManualClock(), largest=LARGEST, threads=1)
    decoding.start()
    decoding.start()
    decoding.close()
    decoding.join()
    decoding.waiting.put(Encoded(None, b"x", 0, 0.0))
    assert list(decoding.waiting) == []
