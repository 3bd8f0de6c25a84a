"""Worker threads as asyncio tasks: awaited, cancelled and always joined."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from mien.handover import Closed
from mien.machine.threads import begun

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

    thread = begun(name, run)
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


async def in_thread(name: str, call: Callable[[], T], abort: Callable[[], None] = lambda: None) -> T:
    """What `call` returns, computed on a thread of its own; a cancellation waits until it has.

    Args:
        abort: makes `call` return or raise soon, from any thread; called when this task is cancelled.
    """
    results: list[T] = []
    await run_worker(name, lambda: results.append(call()), abort)
    return results[0]


async def until(name: str, call: Callable[[], T], end: asyncio.Future[None]) -> T | None:
    """What `call` returns, computed on a thread of its own; None once `end` is done.

    The thread is left behind then: for what waits in the system, which nothing ends, at the end of a program.

    Raises:
        Whatever `call` raised.
    """
    loop = asyncio.get_running_loop()
    made: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            told: Callable[[], None] = partial(made.set_result, call())
        except Exception as error:
            told = partial(made.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(told)

    begun(name, run)
    either: list[asyncio.Future[T] | asyncio.Future[None]] = [made, end]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if end.done():
        made.add_done_callback(lambda late: late.exception())  # which nobody is told any more
        return None
    return made.result()


def first_of(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that ended a group of tasks: the others were cancelled for it."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
