"""`mien live`: drives a portrait by a camera until a key or the end of the source."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mien.config import WARP, Gains, ReenactSettings
from mien.errors import SettingError, SinkError
from mien.machine.memory import settled
from mien.machine.signals import held_back, told_of_signals

if TYPE_CHECKING:
    from mien.commands.terminal import StatusLine
    from mien.live.session import LiveRequest, LiveSession
    from mien.stats import Statistics

SOUNDS = ("auto", "source", "microphone", "none")
PRESETS = ("natural", "calm", "lively", "face-only")
"""Of `mien.config`, which is not loaded for the help alone."""
TOGETHER = 0.5
"""Seconds after a signal in which others are taken for the same one."""
DEGREES = 0.1
"""Step of a morph's degree."""
HELP = (
    "keys: z re-zero, n next portrait, m next model, p pause, r record, x panic (slate), 1-4 gains, [ ] morph, q quit, "
    "? this"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `mien live` takes beside the options that it shares with `mien reenact`."""
    parser.add_argument("portraits", nargs="+", metavar="PORTRAIT", help="picture, or several of one person")
    parser.add_argument("--camera", default="camera:0", metavar="SOURCE", help="camera, stream, screen or file")
    parser.add_argument("--output", default="window", metavar="SINK", help="virtual, window, address or file")
    parser.add_argument("--next", action="append", default=[], metavar="PORTRAIT", help="to swap in by key; repeatable")
    parser.add_argument("--duration", type=float, metavar="S", help="stop after so many seconds")
    parser.add_argument("--loop", action="store_true", help="play a file again and again")
    parser.add_argument("--latency", type=float, default=100.0, metavar="MS", help="from capture to emit (100)")
    parser.add_argument("--rate", type=float, metavar="FPS", help="frames per second at most; else the source's")
    parser.add_argument("--preset", choices=PRESETS, default=PRESETS[0], help="of gains, which those below multiply")
    parser.add_argument("--size", type=int, metavar="N", help="longer side of the output in pixels")
    parser.add_argument(
        "--sound",
        choices=SOUNDS,
        default="auto",
        help="else the microphone's in a call, or the source's",
    )
    parser.add_argument(
        "--virtual-microphone", action="store_true", help="give the sound, in step, to other programs, too"
    )
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="also into a video, from the beginning; is replaced"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also the statistics, as JSON")


def run(options: argparse.Namespace, settings: ReenactSettings, named: Callable[[str], str]) -> Statistics:
    """Run until the end; `named` gives the path behind a name such as `sample:mira`.

    Raises:
        MienError: anything that the user can fix, in one line.
    """
    request, others = _request(options, settings, named), [named(name) for name in options.next]
    stopping = _Stopping()
    try:
        with held_back():
            return asyncio.run(_run(options, request, settings.motion.gains, others, stopping))
    except asyncio.CancelledError:
        raise KeyboardInterrupt(stopping.number) from None


def _request(options: argparse.Namespace, settings: ReenactSettings, named: Callable[[str], str]) -> LiveRequest:
    from mien.config import applied
    from mien.emit.video import need_video
    from mien.live.session import LiveRequest

    bounds = {"latency": (1.0, 10_000.0), "duration": (1e-3, 1e7), "rate": (0.1, 1000.0)}
    for name, (least, most) in bounds.items():
        value = getattr(options, name)
        if value is not None and not least <= value <= most:
            raise SettingError(f"{name} must be from {least:g} to {most:g}, got {value:g}")
    if options.record is not None:
        need_video(options.record)
    gains = applied(options.preset, settings.motion.gains)
    return LiveRequest(
        pictures=tuple(named(name) for name in options.portraits),
        source=named(options.camera),
        output=options.output,
        settings=replace(settings, motion=replace(settings.motion, gains=gains)),
        latency=options.latency / 1e3,
        rate=math.inf if options.rate is None else options.rate,
        sound=options.sound,
        loop=options.loop,
        virtual_microphone=options.virtual_microphone,
    )


async def _run(
    options: argparse.Namespace, request: LiveRequest, given: Gains, others: list[str], stopping: _Stopping
) -> Statistics:
    from mien.clock import MonotonicClock
    from mien.commands.terminal import StatusLine, keys_told
    from mien.live.session import open_live

    async with stopping.listening(), open_live(request) as session:
        status = StatusLine(sys.stderr, session.statistics, MonotonicClock())
        portraits, model = [*request.pictures[:1], *others], request.settings.model
        console = Console(session, status, portraits, options.record, given, model)
        loop = asyncio.get_running_loop()
        session.on_key(partial(_pass_on, loop, console))
        if options.record is not None:
            session.record(options.record)
        with stopping.in_order(session), keys_told(console.press) as keys:
            if session.backend != WARP and not options.quiet:
                status.say(f"model: {session.backend}")
            if (keys or options.output == "window") and not options.quiet:
                status.say(HELP)
            if options.duration is not None:
                loop.call_later(options.duration, session.stop)
            try:
                with settled():
                    await _told_of(session, console, options.quiet)
            finally:
                status.clear()
                for line in session.notices():
                    status.say(line)
        return session.statistics


def _pass_on(loop: asyncio.AbstractEventLoop, console: Console, key: str) -> None:
    """A key of a window, told on another thread."""
    loop.call_soon_threadsafe(console.press, key)


async def _told_of(session: LiveSession, console: Console, quiet: bool) -> None:
    """Run, and tell how it goes meanwhile."""
    from mien.pipeline.worker import first_of

    try:
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(console.tell(quiet))
            try:
                await session.run()
            finally:
                telling.cancel()
    except BaseExceptionGroup as errors:
        raise first_of(errors) from None


class _Stopping:
    """What signals do: the first one during the run ends it in order; a second, or one before, does not wait.

    What comes with the first one is no second: `timeout`, and programs that pass on an interrupt of the terminal, send
    a signal to the program and to its group.
    """

    def __init__(self) -> None:
        self._asked = -math.inf
        """When the first signal came, by the event loop's clock."""
        self.number = 0
        """Of the signal that did not wait."""
        self._session: LiveSession | None = None

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        running = asyncio.current_task()
        assert running is not None

        def told(number: int) -> None:
            now = asyncio.get_running_loop().time()
            session, self._session = self._session, None
            if session is not None:
                self._asked = now
                session.stop()
                return
            if now - self._asked < TOGETHER:
                return
            self.number = number
            running.cancel()

        with told_of_signals(told):
            yield

    @contextlib.contextmanager
    def in_order(self, session: LiveSession) -> Iterator[None]:
        self._session = session
        try:
            yield
        finally:
            self._session = None


class Console:
    """What keys do, and what is told meanwhile."""

    def __init__(
        self,
        session: LiveSession,
        status: StatusLine,
        portraits: list[str],
        record: Path | None,
        gains: Gains | None = None,
        model: str = ReenactSettings().model,
    ) -> None:
        """`portraits`: those that the key goes round, the present one first; `gains`: that presets multiply; `model`:
        the present one."""
        self._session = session
        self._status = status
        self._portraits = portraits
        self._record = record or Path("mien.mp4")
        self._gains = gains or Gains()
        self._model = model
        self._warnings = 0

    def press(self, key: str) -> None:
        """Do what a key stands for; others do nothing."""
        session = self._session
        actions: dict[str, Callable[[], None]] = {
            "z": self._rezero,
            "n": self._next,
            "p": lambda: setattr(session, "paused", not session.paused),
            "x": lambda: setattr(session, "panic", not session.panic),
            "r": self._toggle_recording,
            "m": self._next_model,
            "q": session.stop,
            "[": lambda: self._morph(-DEGREES),
            "]": lambda: self._morph(DEGREES),
            "?": lambda: self._status.say(HELP),
        }
        for number, preset in enumerate(PRESETS, start=1):
            actions[str(number)] = partial(self._choose, preset)
        if key in actions:
            actions[key]()

    async def tell(self, quiet: bool) -> None:
        """For as long as it is not cancelled."""
        while True:
            await asyncio.sleep(self._status.interval)
            self._tell_now(quiet)

    def _tell_now(self, quiet: bool) -> None:
        for line in [*self._session.notices(), *self._new_warnings()]:
            self._status.say(line)
        if not quiet:
            model, _, _ = self._session.backend.partition(",")  # why this runtime is told once, at the beginning
            self._status.show(model, self._state())

    def _rezero(self) -> None:
        self._session.rezero()
        self._status.say("how you look now is neutral")

    def _choose(self, preset: str) -> None:
        from mien.config import applied

        self._session.set_gains(applied(preset, self._gains))
        self._status.say(f"gains: {preset}")

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
        self._status.say(f"next portrait: {self._portraits[0]}")

    def _next_model(self) -> None:
        from mien.bundles.driving import driving_models

        wanted = self._session.wanted
        present = wanted.model or self._model
        models = list(dict.fromkeys([self._model, *driving_models()]))
        if present not in models:  # it was removed meanwhile
            models.insert(0, present)
        if len(models) < 2:
            self._status.say("there is no other model; see `mien models`")
            return
        model = models[(models.index(present) + 1) % len(models)]
        self._session.show(replace(wanted, model=model))
        self._status.say(f"next model: {model}")

    def _morph(self, by: float) -> None:
        wanted = self._session.wanted
        if wanted.morph is None:
            self._status.say("there is no second portrait; name one with --morph")
            return
        degree = round(min(max(wanted.degree + by, 0.0), 1.0), 4)
        self._session.show(replace(wanted, degree=degree))
        self._status.say(f"morph: {degree:.0%}")

    def _toggle_recording(self) -> None:
        if self._session.recording:
            self._session.record(None)
            return
        path = _free(self._record)
        try:
            self._session.record(path)
        except SinkError as error:
            self._status.say(str(error))
            return
        self._status.say(f"recording into {path}")


def _free(path: Path) -> Path:
    """`path`, or the first of its kind with a number that is not there yet."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free
