"""What a bad way does to a call."""

from __future__ import annotations

import random

import pytest
from tests.engine.serve.webrtc.calls import calling, lose, run, until
from tests.engine.serve.webrtc.client import Client, Pictures, Tone


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_lost_packets_come_again(codec: str) -> None:
    async def main() -> None:
        client = Client(video=Pictures(25), codec=codec)
        async with calling(client) as call:
            lose(call.wire, lambda number, packet: number % 20 == 10)
            await until(lambda: call.echo.count > 50)
            numbers = call.echo.numbers
            assert numbers == sorted(set(numbers))
            assert call.peer.statistics()["frames_broken"] == 0

    run(main)


def test_pictures_go_on_though_nothing_lost_comes_again() -> None:
    async def main() -> None:
        client = Client(video=Pictures(25), audio=Tone(), codec="VP8")
        async with calling(client) as call:
            await until(lambda: call.echo.count > 5)
            rng = random.Random(0)
            seen: set[bytes] = set()

            def is_lost(number: int, packet: bytes) -> bool:
                again = packet[8:12] not in seen and len(seen) >= 2  # a third stream: what is sent again
                if len(seen) < 2:
                    seen.add(packet[8:12])
                return again or rng.random() < 0.1

            lose(call.wire, is_lost)
            count = call.echo.count
            await until(lambda: call.echo.count > count + 60 and call.peer.statistics()["frames_lost"] > 3)
            assert call.echo.sounds > 50

    run(main)


def test_a_silence_of_a_second_is_got_over() -> None:
    async def main() -> None:
        client = Client(video=Pictures(25))
        async with calling(client) as call:
            await until(lambda: call.echo.count > 5)
            lose(call.wire, lambda number, packet: number < 60)
            count = call.echo.count
            await until(lambda: call.echo.count > count + 20)

    run(main)
