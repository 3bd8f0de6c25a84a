"""`mien live`: a portrait that moves as whoever sits before the camera, until a key or the source ends it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mien.config import WARP, ReenactSettings
from mien.errors import SettingError

if TYPE_CHECKING:
    from mien.live.session import LiveRequest, LiveSession
    from mien.live.status import StatusLine
    from mien.stats import Statistics

SOUNDS = ("source", "microphone", "none")
HELP = "keys: z re-zero, n next portrait, p pause, r record, x panic (slate), 1-4 gains, q quit, ? this"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `mien live` takes beside the options that it shares with `mien reenact`."""
    parser.add_argument("portraits", nargs="+", metavar="PORTRAIT", help="picture, or several of one person")
    parser.add_argument("--camera", default="camera:0", metavar="SOURCE", help="camera, stream, screen or file")
    parser.add_argument("--output", default="window", metavar="SINK", help="virtual, window, address or file")
    parser.add_argument("--next", action="append", default=[], metavar="PORTRAIT", help="to swap in by key; repeatable")
    parser.add_argument("--duration", type=float, metavar="S", help="stop after so many seconds")
    parser.add_argument("--loop", action="store_true", help="play a file again and again")
    parser.add_argument("--latency", type=float, default=100.0, metavar="MS", help="from capture to emit (100)")
    parser.add_argument("--size", type=int, metavar="N", help="longer side of the output in pixels")
    parser.add_argument("--sound", choices=SOUNDS, default="source", help="which sound goes along")
    parser.add_argument(
        "--virtual-microphone", action="store_true", help="give the sound, in step, to other programs, too"
    )
    parser.add_argument("--record", type=Path, metavar="FILE", help="also into a video, from the beginning")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also the statistics, as JSON")


def run(options: argparse.Namespace, settings: ReenactSettings, named: Callable[[str], str]) -> Statistics:
    """Run until the end; `named` gives the path behind a name such as `sample:mira`.

    Raises:
        MienError: anything that the user can cure, in one line.
    """
    request, others = _request(options, settings, named), [named(name) for name in options.next]
    try:
        return asyncio.run(_run(options, request, others))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _request(options: argparse.Namespace, settings: ReenactSettings, named: Callable[[str], str]) -> LiveRequest:
    from mien.live.session import LiveRequest

    for name, value, most in (("latency", options.latency, 10_000.0), ("duration", options.duration, 1e7)):
        if value is not None and not 0 < value <= most:
            raise SettingError(f"{name} must be more than 0 and at most {most:g}, got {value:g}")
    return LiveRequest(
        pictures=tuple(named(name) for name in options.portraits),
        source=named(options.camera),
        output=options.output,
        settings=settings,
        latency=options.latency / 1e3,
        sound=options.sound,
        loop=options.loop,
        virtual_microphone=options.virtual_microphone,
    )


async def _run(options: argparse.Namespace, request: LiveRequest, others: list[str]) -> Statistics:
    from mien.clock import MonotonicClock
    from mien.live.keys import keys_told
    from mien.live.session import open_live
    from mien.live.status import StatusLine

    async with open_live(request) as session:
        status = StatusLine(sys.stderr, session.statistics, MonotonicClock())
        console = Console(session, status, [*request.pictures[:1], *others], options.record)
        if options.record is not None:
            session.record(options.record)
        running = asyncio.create_task(session.run())
        with _stopped_by_interrupt(session, running), keys_told(console.press) as keys:
            if session.backend != WARP and not options.quiet:
                status.say(f"model: {session.backend}")
            if keys and not options.quiet:
                status.say(HELP)
            telling = asyncio.create_task(console.tell(options.quiet))
            if options.duration is not None:
                asyncio.get_running_loop().call_later(options.duration, session.stop)
            try:
                await running
            finally:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)
                status.clear()
                for line in session.notices():
                    status.say(line)
        return session.statistics


@contextlib.contextmanager
def _stopped_by_interrupt(session: LiveSession, running: asyncio.Task[None]) -> Iterator[None]:
    """An interrupt is how a live run usually ends: in order. A second one does not wait."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        loop.add_signal_handler(signal.SIGINT, running.cancel)
        session.stop()

    loop.add_signal_handler(signal.SIGINT, stop)
    loop.add_signal_handler(signal.SIGTERM, stop)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)


class Console:
    """What keys do, and what is told meanwhile."""

    def __init__(self, session: LiveSession, status: StatusLine, portraits: list[str], record: Path | None) -> None:
        """`portraits`: those that the key goes round, the present one first."""
        self._session = session
        self._status = status
        self._portraits = portraits
        self._record = record or Path("mien.mp4")
        self._warnings = 0

    def press(self, key: str) -> None:
        """Do what a key stands for; others do nothing."""
        from mien.live.presets import PRESETS

        session = self._session
        actions: dict[str, Callable[[], None]] = {
            "z": session.rezero,
            "n": self._next,
            "p": lambda: setattr(session, "paused", not session.paused),
            "x": lambda: setattr(session, "panic", not session.panic),
            "r": self._toggle_recording,
            "q": session.stop,
            "?": lambda: self._status.say(HELP),
        }
        for number, gains in enumerate(PRESETS.values(), start=1):
            actions[str(number)] = partial(session.set_gains, gains)
        if key in actions:
            actions[key]()

    async def tell(self, quiet: bool) -> None:
        """For as long as it is not cancelled."""
        while True:
            await asyncio.sleep(self._status.interval)
            for line in [*self._session.notices(), *self._new_warnings()]:
                self._status.say(line)
            if not quiet:
                model, _, _ = self._session.backend.partition(",")  # why this runtime is told once, at the beginning
                self._status.show(model, self._state())

    def _state(self) -> str | None:
        session = self._session
        if session.panic:
            return "PANIC: the slate is shown"
        if session.paused:
            return "paused"
        return "recording" if session.recording else None

    def _new_warnings(self) -> list[str]:
        warnings = self._session.statistics.warnings
        new = [f"warning: {text}" for text in warnings[self._warnings :]]
        self._warnings = len(warnings)
        return new

    def _next(self) -> None:
        if len(self._portraits) < 2:
            self._status.say("there is no other portrait; name one with --next")
            return
        self._portraits = [*self._portraits[1:], self._portraits[0]]
        self._session.swap(self._portraits[0])

    def _toggle_recording(self) -> None:
        if self._session.recording:
            self._session.record(None)
            return
        path = _free(self._record)
        self._session.record(path)
        self._status.say(f"recording into {path}")


def _free(path: Path) -> Path:
    """`path`, or the first of its kind with a number that is not there yet."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free
