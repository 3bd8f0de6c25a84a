"""From any thread to the loop: the newest wins."""

from __future__ import annotations

import asyncio
from threading import Thread

import pytest

from mien.serve.webrtc.newest import Ended, Newest


def test_the_newest_is_taken_and_the_others_are_counted() -> None:
    async def main() -> None:
        newest: Newest[int] = Newest()

        def put() -> None:
            for number in range(1000):
                newest.put(number)

        thread = Thread(target=put)
        thread.start()
        await asyncio.to_thread(thread.join)
        assert await newest.take() == 999
        assert newest.dropped == 999

    asyncio.run(main())


def test_whoever_waits_is_woken() -> None:
    async def main() -> None:
        newest: Newest[int] = Newest()
        waiting = asyncio.create_task(newest.take())
        await asyncio.sleep(0)
        await asyncio.to_thread(newest.put, 7)
        assert await asyncio.wait_for(waiting, 10) == 7

    asyncio.run(main())


def test_the_loop_is_woken_once_for_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        loop, calls = asyncio.get_running_loop(), []
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *call: calls.append(call))
        newest: Newest[int] = Newest()
        for number in range(100):
            newest.put(number)
        assert len(calls) == 1

    asyncio.run(main())


def test_it_ends() -> None:
    async def main() -> None:
        newest: Newest[int] = Newest()
        waiting = asyncio.create_task(newest.take())
        await asyncio.sleep(0)
        newest.close()
        newest.put(1)
        with pytest.raises(Ended):
            await waiting
        with pytest.raises(Ended):
            await newest.take()

    asyncio.run(main())


def test_a_loop_that_has_ended_holds_nobody_up() -> None:
    async def main() -> Newest[int]:
        return Newest()

    newest = asyncio.run(main())
    newest.put(1)
    newest.close()
