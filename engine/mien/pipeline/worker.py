"""Worker threads as asyncio tasks: awaited, cancelled and always joined."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from mien.handover import Closed

T = TypeVar("T")


async def run_worker(name: str, work: Callable[[], None], abort: Callable[[], None]) -> None:
    """Run `work` on a thread of its own until it returns; the event loop only waits.

    Args:
        abort: makes `work` return soon, from any thread; called when this task is cancelled.

    Raises:
        Whatever `work` raised, but `Closed`: another part of the run ended it.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[BaseException | None] = loop.create_future()

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except Closed:
            pass
        except BaseException as raised:
            error = raised
        loop.call_soon_threadsafe(done.set_result, error)

    thread = Thread(target=run, name=name, daemon=True)
    thread.start()
    cancelled: asyncio.CancelledError | None = None
    while not done.done():
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError as request:
            cancelled = request
            abort()
    thread.join()
    error = done.result()
    if cancelled is not None:
        raise cancelled
    if error is not None:
        raise error


async def in_thread(name: str, call: Callable[[], T]) -> T:
    """What `call` returns, computed on a thread of its own; a cancellation waits until it has."""
    results: list[T] = []
    await run_worker(name, lambda: results.append(call()), lambda: None)
    return results[0]


def first_of(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that ended a group of tasks: the others were cancelled for it."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
