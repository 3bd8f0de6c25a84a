from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.handover import Channel, Closed, DropQueue, LoopSlot, Slot

PATIENCE = 10.0  # seconds until a hung thread fails the test; no passing test waits for it


def _in_thread(pool: ThreadPoolExecutor, call: Callable[[], int]) -> Future[int]:
    return pool.submit(call)


def test_slot_keeps_the_newest_and_counts_drops() -> None:
    slot: Slot[int] = Slot()
    for value in range(5):
        slot.put(value)
    assert slot.take() == 4
    statistics = slot.statistics()
    assert (statistics.put, statistics.taken, statistics.dropped) == (5, 1, 4)


def test_slot_gives_each_value_once() -> None:
    slot: Slot[str] = Slot()
    slot.put("a")
    assert slot.take() == "a"
    with pytest.raises(TimeoutError):
        slot.take(timeout=0)


def test_slot_holds_none_as_a_value() -> None:
    slot: Slot[None] = Slot()
    slot.put(None)
    assert slot.take(timeout=0) is None


def test_slot_gives_its_last_value_after_close() -> None:
    slot: Slot[int] = Slot()
    slot.put(1)
    slot.close()
    slot.close()
    assert slot.take() == 1
    with pytest.raises(Closed):
        slot.take()
    with pytest.raises(Closed):
        slot.put(2)
    assert slot.statistics().closed


def test_slot_close_wakes_waiting_takers() -> None:
    slot: Slot[int] = Slot()
    with ThreadPoolExecutor(2) as pool:
        waiting = [_in_thread(pool, slot.take) for _ in range(2)]
        slot.close()
        for future in waiting:
            assert isinstance(future.exception(PATIENCE), Closed)


def test_slot_put_wakes_a_waiting_taker() -> None:
    slot: Slot[int] = Slot()
    with ThreadPoolExecutor(1) as pool:
        waiting = _in_thread(pool, slot.take)
        slot.put(7)
        assert waiting.result(PATIENCE) == 7


@given(st.lists(st.booleans()))
def test_slot_accounts_for_every_value(moves: list[bool]) -> None:
    slot: Slot[int] = Slot()
    last: int | None = None
    for number, is_put in enumerate(moves):
        if is_put:
            slot.put(number)
            last = number
        elif last is not None:
            assert slot.take(timeout=0) == last
            last = None
    statistics = slot.statistics()
    assert statistics.put == statistics.taken + statistics.dropped + (last is not None)


def test_channel_loses_nothing_and_keeps_order() -> None:
    channel: Channel[int] = Channel(3)

    def feed() -> int:
        for value in range(200):
            channel.put(value)
        channel.close()
        return 200

    with ThreadPoolExecutor(1) as pool:
        fed = _in_thread(pool, feed)
        assert list(channel) == list(range(200))
        assert fed.result(PATIENCE) == 200
    statistics = channel.statistics()
    assert statistics.peak <= statistics.capacity == 3
    assert (statistics.put, statistics.taken, statistics.held) == (200, 200, 0)


def test_an_offer_to_a_full_channel_is_refused_without_waiting() -> None:
    channel: Channel[int] = Channel(1)
    assert channel.offer(1)
    assert not channel.offer(2)
    assert channel.take() == 1
    assert channel.statistics().put == 1
    channel.close()
    with pytest.raises(Closed):
        channel.offer(3)


def test_channel_gives_what_it_holds_after_close() -> None:
    channel: Channel[int] = Channel(2)
    channel.put(1)
    channel.put(2)
    channel.close()
    assert list(channel) == [1, 2]
    with pytest.raises(Closed):
        channel.put(3)


def test_cancel_drops_what_is_held() -> None:
    channel: Channel[int] = Channel(2)
    channel.put(1)
    channel.cancel()
    assert list(channel) == []
    assert channel.statistics().cancelled


def test_cancel_wakes_a_putter_of_a_full_channel() -> None:
    channel: Channel[int] = Channel(1)
    channel.put(0)

    def overfill() -> int:
        channel.put(1)
        return 1

    with ThreadPoolExecutor(1) as pool:
        waiting = _in_thread(pool, overfill)
        channel.cancel()
        assert isinstance(waiting.exception(PATIENCE), Closed)


def test_cancel_wakes_a_taker_of_an_empty_channel() -> None:
    channel: Channel[int] = Channel(1)
    with ThreadPoolExecutor(1) as pool:
        waiting = _in_thread(pool, channel.take)
        channel.cancel()
        assert isinstance(waiting.exception(PATIENCE), Closed)


def test_channel_refuses_a_capacity_below_one() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Channel(0)


def test_a_loop_slot_gives_the_newest_and_counts_the_others() -> None:
    async def main() -> None:
        newest: LoopSlot[int] = LoopSlot()

        def put() -> None:
            for number in range(1000):
                newest.put(number)

        thread = Thread(target=put)
        thread.start()
        await asyncio.to_thread(thread.join)
        assert await newest.take() == 999
        assert newest.statistics().dropped == 999

    asyncio.run(main())


def test_a_loop_slot_wakes_whoever_waits() -> None:
    async def main() -> None:
        newest: LoopSlot[int] = LoopSlot()
        waiting = asyncio.create_task(newest.take())
        await asyncio.sleep(0)
        await asyncio.to_thread(newest.put, 7)
        assert await asyncio.wait_for(waiting, 10) == 7

    asyncio.run(main())


def test_the_loop_is_woken_once_for_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        loop, calls = asyncio.get_running_loop(), []
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *call: calls.append(call))
        newest: LoopSlot[int] = LoopSlot()
        for number in range(100):
            newest.put(number)
        assert len(calls) == 1

    asyncio.run(main())


def test_a_loop_slot_ends() -> None:
    async def main() -> None:
        newest: LoopSlot[int] = LoopSlot()
        waiting = asyncio.create_task(newest.take())
        await asyncio.sleep(0)
        newest.close()
        newest.put(1)
        with pytest.raises(Closed):
            await waiting
        with pytest.raises(Closed):
            await newest.take()

    asyncio.run(main())


def test_a_loop_that_has_ended_holds_nobody_up() -> None:
    async def main() -> LoopSlot[int]:
        return LoopSlot()

    newest = asyncio.run(main())
    newest.put(1)
    newest.close()


def test_a_drop_queue_pushes_the_oldest_of_a_full_kind_out() -> None:
    queue: DropQueue[int | str] = DropQueue({int: 2, str: 1}, type)
    for value in (1, "a", 2, 3, "b"):
        queue.put(value)
    queue.close()
    queue.put(4)
    assert list(queue) == [2, 3, "b"]
    assert (queue.dropped(int), queue.dropped(str)) == (1, 1)
    statistics = queue.statistics()
    assert (statistics.capacity, statistics.put, statistics.taken, statistics.dropped) == (3, 5, 3, 2)
    assert statistics.closed


def test_an_offer_to_a_full_kind_is_refused_and_others_are_not() -> None:
    queue: DropQueue[int | str] = DropQueue({int: 1, str: 1}, type)
    assert queue.offer(1)
    assert queue.is_full(int)
    assert not queue.offer(2)
    assert queue.offer("a")
    queue.drop(int)
    assert queue.offer(3)
    assert [queue.take(), queue.take()] == ["a", 3]
    assert queue.dropped(int) == 1


def test_a_drop_queue_wakes_a_waiting_taker_and_gives_nothing_once_emptied() -> None:
    queue: DropQueue[int] = DropQueue({int: 1}, type)
    with ThreadPoolExecutor(1) as pool:
        waiting = _in_thread(pool, queue.take)
        queue.put(7)
        assert waiting.result(PATIENCE) == 7
        waiting = _in_thread(pool, queue.take)
        queue.close(empty=True)
        assert isinstance(waiting.exception(PATIENCE), Closed)
    assert list(queue) == []


@given(st.lists(st.booleans()))
def test_a_drop_queue_accounts_for_every_value(moves: list[bool]) -> None:
    queue: DropQueue[int] = DropQueue({int: 3}, type)
    held: list[int] = []
    for number, is_put in enumerate(moves):
        if is_put:
            queue.put(number)
            held = [*held, number][-3:]
        elif held:
            assert queue.take() == held.pop(0)
    statistics = queue.statistics()
    assert statistics.put == statistics.taken + statistics.dropped + statistics.held
    assert statistics.held == len(held)
