"""Frames out of packets, whatever becomes of them on the way."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from mien.serve.webrtc.jitter_buffer import MOST, Assembly, Whole

PATIENCE = 0.1
STEP = 0.01
"""Seconds between two packets."""


@dataclass(frozen=True)
class Packet:
    sequence_number: int
    timestamp: int
    marker: int
    payload: bytes
    payload_type: int = 96


def stream(*lengths: int, first: int = 65_530, marks: bool = True) -> list[Packet]:
    """Frames of so many packets each; a packet's payload is (frame, place)."""
    packets: list[Packet] = []
    for frame, length in enumerate(lengths):
        for place in range(length):
            number = (first + len(packets)) % 65_536
            marker = int(marks and place == length - 1)
            packets.append(Packet(number, 1000 * frame, marker, bytes([frame, place])))
    return packets


def begins(packet: Packet) -> bool:
    return packet.payload[1] == 0


def sent(packets: Iterable[Packet], *, single: bool = False) -> list[Whole]:
    assembly = Assembly(lambda: PATIENCE, begins, single=single)  # type: ignore[arg-type]
    return [whole for place, packet in enumerate(packets) for whole in assembly.add(packet, place * STEP)]


def frames(wholes: Sequence[Whole]) -> list[int]:
    """Their numbers; each must be whole and in order."""
    for whole in wholes:
        numbers = {packet.payload[0] for packet in whole.packets}
        assert len(numbers) == 1
        assert [packet.payload[1] for packet in whole.packets] == list(range(len(whole.packets)))
    return [whole.packets[0].payload[0] for whole in wholes]


def test_a_frame_is_there_with_its_last_packet() -> None:
    assembly = Assembly(lambda: PATIENCE, begins)  # type: ignore[arg-type]
    given_at = [len(assembly.add(packet, 0.0)) for packet in stream(3, 1, 2)]
    assert given_at == [0, 0, 1, 1, 0, 1]


def test_without_marks_a_frame_is_there_with_the_next_one() -> None:
    assert frames(sent(stream(3, 1, 2, 1, marks=False))) == [0, 1, 2]


def test_packets_that_overtook_each_other_are_put_in_order() -> None:
    packets = stream(4, 4, 4)
    packets[1], packets[6] = packets[6], packets[1]
    assert frames(sent(packets)) == [0, 1, 2]


def test_a_packet_that_comes_again_in_time_saves_its_frame() -> None:
    packets = stream(4, 4, 4)
    late = packets.pop(5)
    packets.insert(8, late)
    wholes = sent(packets)
    assert frames(wholes) == [0, 1, 2]
    assert not any(whole.after_loss for whole in wholes)


def test_each_lost_packet_is_waited_for_as_long() -> None:
    packets = stream(*[4] * 8)
    late, later = packets.pop(5), packets.pop(9)
    packets.insert(13, late)  # 80 ms late
    packets.insert(19, later)  # 90 ms late, and its wait began while the other one was waited for
    assert frames(sent(packets)) == [*range(8)]


def test_a_lost_packet_costs_its_frame_only() -> None:
    packets = stream(*[4] * 8)
    del packets[5]
    wholes = sent(packets)
    assert frames(wholes) == [0, 2, 3, 4, 5, 6, 7]
    assert [whole.after_loss for whole in wholes] == [False, True, *[False] * 5]


def test_a_whole_frame_that_is_lost_costs_no_other() -> None:
    packets = stream(*[1] * 20)
    del packets[3]
    assert frames(sent(packets)) == [0, 1, 2, *range(4, 20)]


def test_twice_and_too_late_is_left_out() -> None:
    packets = stream(2, 2, 2)
    assert frames(sent([*packets, *packets[:4], packets[5]])) == [0, 1, 2]


def test_a_sender_that_begins_anew_is_followed() -> None:
    wholes = sent([*stream(2, 2, first=10), *stream(2, 2, first=40_000)])
    assert frames(wholes) == [0, 1, 0, 1]
    assert [whole.after_loss for whole in wholes] == [False, False, True, False]


def test_each_packet_of_sound_is_a_frame() -> None:
    packets = stream(*[1] * 30, marks=False)
    del packets[4]
    assert frames(sent(packets, single=True)) == [*range(4), *range(5, 30)]


def test_a_stream_that_begins_in_the_middle_of_a_frame_begins_with_the_next() -> None:
    assert frames(sent(stream(3, 3, 2)[1:])) == [1, 2]


def test_a_loss_without_a_known_beginning_after_it_waits_for_one() -> None:
    packets = stream(2, 60, 2)
    del packets[10]
    assert frames(sent(packets)) == [0, 2]


def test_what_is_held_back_is_bounded() -> None:
    assembly = Assembly(lambda: 1e9, begins)  # type: ignore[arg-type]
    packets = stream(*[200] * 40, first=0)
    del packets[1]
    for packet in packets:
        assembly.add(packet, 0.0)
    assert len(assembly._packets) <= MOST


@given(st.lists(st.integers(1, 5), min_size=3, max_size=30), st.integers(0, 1 << 30), st.floats(0.0, 0.3))
def test_whatever_is_lost_and_shuffled_only_whole_frames_come_in_order(
    lengths: list[int], seed: int, loss: float
) -> None:
    rng = random.Random(seed)
    packets = [packet for packet in stream(*lengths) if rng.random() > loss]
    for _ in range(len(packets) // 4):
        place = rng.randrange(max(len(packets) - 1, 1))
        packets[place : place + 2] = reversed(packets[place : place + 2])
    told = frames(sent(packets))
    assert told == sorted(set(told))


@given(st.integers(0, 65_535))
def test_numbers_wrap_anywhere(first: int) -> None:
    assert frames(sent(stream(*[3] * 10, first=first))) == list(range(10))
