"""Real encoders: rates, key frames, sizes, and that what they make can be seen and heard."""

from __future__ import annotations

from itertools import pairwise

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.engine.serve.webrtc.client import number_in, numbered
from tests.engine.serve.webrtc.encoded import INTERVAL, encoded, planes_of

from mien.serve.webrtc.encoders import SoundEncoder, VideoPacket, video_encoder
from mien.serve.webrtc.settings import CODECS, BitrateLimits, Codec

LIMITS = BitrateLimits()
DECODERS = {"h264": "h264", "vp8": "vp8"}


def decoded(codec: Codec, packets: list[VideoPacket]) -> list[av.VideoFrame]:
    context = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(context, av.VideoCodecContext)
    return [frame for packet in packets for frame in context.decode(packet)]


@pytest.mark.parametrize("codec", CODECS)
def test_each_picture_is_one_packet_that_shows_it(codec: Codec) -> None:
    frames = decoded(codec, encoded(codec, 20))
    assert [number_in(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)) for frame in frames] == list(range(20))


@pytest.mark.parametrize("codec", CODECS)
def test_key_frames_come_when_they_are_asked_for(codec: Codec) -> None:
    packets = encoded(codec, 30, keys=(0, 9, 20))
    assert [number for number, packet in enumerate(packets) if packet.is_keyframe] == [0, 9, 20]


def textured() -> NDArray[np.uint8]:
    """(480, 964, 3): much that is to be encoded."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (61, 121, 3)).astype(np.float32)
    texture = np.repeat(np.repeat(coarse, 8, axis=0), 8, axis=1)
    return np.asarray((texture[4:484, 4:] + texture[:480, :-4]) / 2, np.uint8)


@pytest.mark.parametrize(("codec", "bits"), [("h264", 200_000), ("h264", 1_000_000), ("vp8", 1_000_000)])
def test_a_key_frame_takes_a_third_of_a_second_at_most(codec: Codec, bits: int) -> None:
    encoder, smooth = video_encoder(codec, LIMITS, 1), textured()
    for number in range(60):
        planes = planes_of(smooth[:, number % 4 :][:480, :640])
        rate = LIMITS.begin if number < 30 else bits
        packet = encoder.encode(planes, number * INTERVAL, rate, key=number in (0, 45))
        assert packet is not None
        if packet.is_keyframe:
            assert packet.size * 8 < rate / 3


def test_small_changes_of_the_rate_cost_h264_no_key_frame() -> None:
    encoder, keys = video_encoder("h264", LIMITS, 1), 0
    for number, bits in enumerate([1_000_000] * 20 + [600_000] * 20 + [1_200_000] * 20 + [500_000] * 20):
        packet = encoder.encode(planes_of(numbered(number)), number * INTERVAL, bits, key=False)
        assert packet is not None
        keys += packet.is_keyframe
    assert keys == 1


@pytest.mark.parametrize("codec", CODECS)
def test_the_rate_is_followed_down_and_up(codec: Codec) -> None:
    encoder, smooth = video_encoder(codec, LIMITS, 1), textured()
    spent = []
    number = 0
    for bits in (1_000_000, 250_000, 1_500_000):
        sizes = []
        for _ in range(75):
            planes = planes_of(smooth[:, number * 2 % 300 :][:480, :640])
            packet = encoder.encode(planes, number * INTERVAL, bits, key=number == 0)
            assert packet is not None
            sizes.append(packet.size)
            number += 1
        spent.append(sum(sizes[50:]) * 8)  # of the third second
    assert spent[1] < 0.5 * spent[0]
    assert spent[2] > 1.5 * spent[1]


@pytest.mark.parametrize("codec", CODECS)
def test_another_size_begins_with_a_key_frame(codec: Codec) -> None:
    encoder = video_encoder(codec, LIMITS, 1)
    made = [
        encoder.encode(planes_of(numbered(number, *size)), number * INTERVAL, 1_000_000, key=False)
        for number, size in enumerate([(320, 240), (320, 240), (640, 480), (640, 480)])
    ]
    packets = [packet for packet in made if packet is not None]
    assert [packet.is_keyframe for packet in packets] == [True, False, True, False]
    assert [(frame.width, frame.height) for frame in decoded(codec, packets)] == [(320, 240)] * 2 + [(640, 480)] * 2


def test_colours_survive() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:] = (200, 60, 30)
    encoder = video_encoder("h264", LIMITS, 1)
    packet = encoder.encode(planes_of(pixels), 0, 1_000_000, key=True)
    assert packet is not None
    (frame,) = decoded("h264", [packet])
    assert np.abs(np.asarray(frame.to_ndarray(format="rgb24"), np.int64).mean((0, 1)) - (200, 60, 30)).max() < 6


@pytest.mark.parametrize("shape", [(101, 67, 3), (8, 8, 3)])
def test_any_size_becomes_one_that_encoders_take(shape: tuple[int, int, int]) -> None:
    planes = planes_of(np.zeros(shape, np.uint8))
    assert planes.shape[1] % 2 == 0
    assert planes.shape[1] >= 16
    assert video_encoder("h264", LIMITS, 1).encode(planes, 0, 500_000, key=True) is not None


def test_sound_is_twenty_milliseconds_a_packet() -> None:
    encoder = SoundEncoder()
    wave = np.sin(2 * np.pi * 440 * np.arange(960 * 20) / 48_000).astype(np.float32) * 0.5
    packets = [
        encoder.encode(np.repeat(wave[None, first : first + 960], 2, axis=0), first)
        for first in range(0, wave.size, 960)
    ]
    made = [packet for packet in packets if packet is not None]
    assert len(made) >= 19
    times = [packet.pts or 0 for packet in made]
    steps = {later - earlier for earlier, later in pairwise(times)}
    assert steps == {960}
    context = av.CodecContext.create("libopus", "r")
    assert isinstance(context, av.AudioCodecContext)
    heard = [frame.samples for packet in made for frame in context.decode(packet)]
    assert set(heard[1:]) == {960}


def test_speech_is_sent_twice_so_that_a_lost_packet_can_be_heard() -> None:
    """Opus's in-band FEC: the second bit of a frame of SILK (RFC 6716, 4.2.3) tells of the copy of the one before."""
    encoder, rate = SoundEncoder(), 48_000
    at = np.arange(960 * 100) / rate
    pitch = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 0.7 * at)) / rate
    voice = sum(np.sin(k * pitch) / k for k in range(1, 20)) * 0.15 * np.clip(np.sin(2 * np.pi * 3 * at), 0, 1)
    runs = [
        np.repeat(voice[None, first : first + 960], 2, axis=0).astype(np.float32) for first in range(0, at.size, 960)
    ]
    packets = [bytes(packet) for number, run in enumerate(runs) if (packet := encoder.encode(run, number * 960))]
    held = [packet[0] >> 3 < 16 and bool(packet[1] & 0x40) for packet in packets]
    assert sum(held) > 0.35 * len(held)  # half of it is silence
