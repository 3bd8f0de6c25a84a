"""Encoded pictures for tests, made by the encoders that peers are sent by."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from tests.engine.serve.webrtc.client import numbered

from mien.frame import Frame
from mien.serve.webrtc.broadcast import Planes
from mien.serve.webrtc.encoders import TIME_BASE, VideoPacket, video_encoder
from mien.serve.webrtc.settings import BitrateLimits, Codec

INTERVAL = 3600
"""Ticks between two pictures: 25 a second."""


def planes_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return Planes()(Frame(pixels, 0, TIME_BASE))


def encoded(
    codec: Codec,
    count: int,
    *,
    keys: Collection[int] = (0,),
    size: tuple[int, int] = (320, 240),
    noise: bool = False,
    bits: int = 1_000_000,
) -> list[VideoPacket]:
    """`count` numbered pictures, or of noise, as packets 40 ms apart."""
    encoder = video_encoder(codec, BitrateLimits(), 1)
    rng = np.random.default_rng(0)
    packets = []
    for number in range(count):
        pixels = numbered(number, *size)
        if noise:
            pixels = rng.integers(0, 256, pixels.shape, np.uint8)
        packet = encoder.encode(planes_of(pixels), number * INTERVAL, bits, key=number in keys)
        assert packet is not None
        packets.append(packet)
    return packets
