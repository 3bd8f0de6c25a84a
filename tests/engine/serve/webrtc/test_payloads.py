"""What can be seen of encoded pictures, on real ones."""

from __future__ import annotations

import pytest
from aiortc.codecs.h264 import H264Encoder as Packetizer
from aiortc.codecs.vpx import Vp8Encoder as Vp8Packetizer
from av.packet import Packet
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.serve.webrtc.encoded import encoded

from mien.serve.webrtc.jitter_buffer import begins_frame, is_key
from mien.serve.webrtc.settings import CODECS, Codec


@pytest.mark.parametrize("codec", CODECS)
def test_only_forced_pictures_and_the_first_are_keys(codec: Codec) -> None:
    packets = encoded(codec, 12, keys=(0, 7))
    assert [number for number, packet in enumerate(packets) if is_key(codec, bytes(packet))] == [0, 7]


@pytest.mark.parametrize("codec", CODECS)
def test_only_the_first_payload_of_a_picture_begins_it(codec: Codec) -> None:
    for packet in encoded(codec, 4, keys=(0,), noise=True):
        payloads = payloads_of(codec, packet)
        begins = [begins_frame(codec, payload) for payload in payloads]
        assert begins[0]
        assert len(begins) > 1
        # parameter sets and the picture itself may each begin one
        assert not any(begins[3:])


def payloads_of(codec: Codec, packet: Packet) -> list[bytes]:  # type: ignore[type-arg]
    packetizer = Packetizer() if codec == "h264" else Vp8Packetizer()
    return packetizer.pack(packet)[0]


@given(st.binary(max_size=12))
def test_no_bytes_break_it(data: bytes) -> None:
    for codec in CODECS:
        begins_frame(codec, data)
        is_key(codec, data)
