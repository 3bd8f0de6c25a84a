"""One sink for many readers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from fractions import Fraction
from threading import Thread

import numpy as np
import pytest
from tests.engine.serve.webrtc.client import numbered

from mien.clock import ManualClock
from mien.frame import Frame
from mien.handover import Closed, LoopSlot
from mien.serve.webrtc.broadcast import Broadcast, Picture
from mien.serve.webrtc.sending import PictureTrack, SoundTrack
from mien.serve.webrtc.settings import PeerSettings
from mien.sound.delay import RATE, RUN, Listener, SoundLine
from mien.sound.sound import Sound, SoundFormat

TIME_BASE = Fraction(1, 25)


def frame(number: int) -> Frame:
    return Frame(numbered(number, 320, 240), number, TIME_BASE)


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(60):
            await main()

    asyncio.run(timed())


def test_each_reader_gets_the_newest_and_a_newcomer_the_last() -> None:
    async def main() -> None:
        broadcast = Broadcast(ManualClock())
        first: LoopSlot[Picture] = LoopSlot()
        broadcast.join(first)
        broadcast.write(frame(0))
        broadcast.write(frame(1))
        second: LoopSlot[Picture] = LoopSlot()
        broadcast.join(second)
        one, other = await first.take(), await second.take()
        assert one is other
        assert one.planes is other.planes  # converted once
        assert broadcast.peers == 2
        broadcast.leave(first)
        broadcast.leave(first)
        assert broadcast.peers == 1

    run(main)


@pytest.mark.parametrize("end", [Broadcast.finish, Broadcast.discard])
def test_its_end_is_the_readers_also_of_those_that_come_after(end: Callable[[Broadcast], None]) -> None:
    async def main() -> None:
        broadcast = Broadcast(ManualClock())
        first: LoopSlot[Picture] = LoopSlot()
        broadcast.join(first)
        broadcast.write(frame(0))
        end(broadcast)
        late: LoopSlot[Picture] = LoopSlot()
        broadcast.join(late)
        for reader in (first, late):
            with pytest.raises(Closed):
                await reader.take()

    run(main)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (48_000, 1), (44_100, 1), (16_000, 2)])
def test_any_sound_is_heard_at_the_right_time(rate: int, channels: int) -> None:
    clock = ManualClock()
    broadcast = Broadcast(clock)
    place, heard = Listener(), []
    length = rate // 50
    for number in range(100):
        broadcast.write(Frame(np.zeros((16, 16, 3), np.uint8), number, Fraction(1, 50)))
        beep = float(number % 50 == 10)
        sound = Sound(
            np.full((channels, length), beep, np.float32),
            number * length,
            Fraction(1, rate),
            SoundFormat(rate, channels),
        )
        broadcast.write_sound(sound)
        run_of = broadcast.sound.read(place, clock.now())
        heard.append(np.zeros((2, RUN), np.float32) if run_of is None else run_of)
        clock.advance(0.02)
    played = np.concatenate(heard, axis=1)
    assert played.shape[0] == 2
    loud = np.flatnonzero(played[0] > 0.5)
    assert loud.size == pytest.approx(2 * RUN, rel=0.2)
    first = loud[0] / RATE
    assert 0.2 <= first < 0.26


def test_pictures_are_encoded_at_the_times_of_their_showing() -> None:
    async def main() -> None:
        clock = ManualClock(5.0)
        broadcast = Broadcast(clock)
        track = PictureTrack(broadcast, "h264", PeerSettings(), clock)
        times = []
        for number in range(5):
            clock.advance(0.04)
            thread = Thread(target=broadcast.write, args=(frame(number),))
            thread.start()
            packet = await track.recv()
            await asyncio.to_thread(thread.join)
            times.append(packet.pts)
        assert times == [3600 * (number + 1) for number in range(5)]
        assert (track.frames, track.keys) == (5, 1)
        track.stop()
        assert broadcast.peers == 0

    run(main)


def test_sound_that_was_not_sent_in_time_is_left_out_and_its_time_passes() -> None:
    async def main() -> None:
        clock = ManualClock()
        track = SoundTrack(SoundLine(), clock)
        assert track._until_due() == pytest.approx(0.02)
        clock.advance(0.02)
        assert track._until_due() == pytest.approx(0.02)
        assert track._number == 0
        clock.advance(1.02)  # a second late: 0.2 s of it is sent at once
        assert track._until_due() == 0.0
        assert track._number == 40 * RUN
        waits = [track._until_due() for _ in range(12)]
        assert waits[:9] == [0.0] * 9
        assert waits[-1] > 0.0
        track.stop()

    run(main)


@pytest.mark.parametrize("fault", [ValueError("broken"), MemoryError("broken")])
def test_an_encoder_that_fails_begins_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    async def main() -> None:
        clock = ManualClock()
        broadcast = Broadcast(clock)
        track = PictureTrack(broadcast, "vp8", PeerSettings(), clock)

        def fail(*arguments: object, **named: object) -> None:
            raise fault

        monkeypatch.setattr(track._encoder, "encode", fail)
        broadcast.write(frame(0))
        waiting = asyncio.create_task(track.recv())
        while not caplog.records:  # noqa: ASYNC110 (of the encoder's thread)
            await asyncio.sleep(0.01)
        broadcast.write(frame(1))
        assert (await waiting).size > 0
        assert "broken" in caplog.text
        track.stop()

    run(main)
