"""A live run made of fakes: a source that is fed by the test, stages that are formulas, a sink that keeps all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from queue import SimpleQueue
from threading import Event
from types import TracebackType
from typing import Any, Self

import numpy as np

from mien.capture.source import SourceInfo
from mien.clock import ManualClock
from mien.emit.sink import MemorySink
from mien.errors import SourceError
from mien.frame import Frame
from mien.pipeline.chain import SingleStage
from mien.pipeline.emitter import Slates
from mien.pipeline.stages import Stages
from mien.sound.sound import Sound, SoundFormat
from mien.stats import LiveStatistics

TIME_BASE = Fraction(1, 25)
INTERVAL = 0.04
SIZE = (8, 4)
SOUND = SoundFormat(rate=8000, channels=1)
INFO = SourceInfo("fake", *SIZE, Fraction(25), TIME_BASE, None, None, seekable=False, live=True, sound=SOUND)
PANIC_SHADE, STALLED_SHADE = 77, 88
SLATES = Slates(*(np.full((SIZE[1], SIZE[0], 3), shade, np.uint8) for shade in (PANIC_SHADE, STALLED_SHADE)))
END = object()


def frame(number: int, captured_at: float = 0.0, value: int | None = None, size: tuple[int, int] = SIZE) -> Frame:
    shade = number % 250 if value is None else value
    pixels = np.full((size[1], size[0], 3), shade, np.uint8)
    return Frame(pixels, number, TIME_BASE, captured_at=captured_at or INTERVAL * number + 1e-9)


def sound(number: int) -> Sound:
    count = SOUND.rate // 25
    return Sound(np.full((1, count), number / 1000, np.float32), number * count, Fraction(1, SOUND.rate), SOUND)


class FedSource:
    """Gives what is fed, as it is fed; ends when closed, or with an error that is fed."""

    def __init__(self, *items: Frame | Sound | BaseException) -> None:
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self.broken_frames = 0
        self.warnings: tuple[str, ...] = ()
        self.ended = Event()
        """Whether all that was captured has been handed on, or it was closed from outside."""
        for item in items:
            self.feed(item)

    @property
    def info(self) -> SourceInfo:
        return INFO

    def feed(self, item: Frame | Sound | BaseException) -> None:
        self._queue.put(item)

    def end(self) -> None:
        self._queue.put(END)

    def __iter__(self) -> Iterator[Frame | Sound]:
        while (item := self._queue.get()) is not END:
            if isinstance(item, BaseException):
                raise item
            yield item

    def sample(self, count: int) -> Iterator[Frame]:
        raise SourceError("fake: not seekable")

    def close(self) -> None:
        self.ended.set()
        self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass
class Portrayal:
    """The chain of a portrait that answers each frame with its own shade plus the frame's; notes what was asked."""

    shade: int = 0
    best: int = 0
    asked: list[str] = field(default_factory=list)
    closed: int = 0
    make: Callable[[Any, Frame, str], Any] | None = None

    @property
    def chain(self) -> SingleStage[Any]:
        return SingleStage(self._reenact, self.best, self._close)

    def _reenact(self, motion: Any, frame: Frame, paint: str) -> Any:
        self.asked.append(paint)
        if self.make is not None:
            return self.make(motion, frame, paint)
        return np.full((SIZE[1], SIZE[0], 3), self.shade + int(frame.pixels[0, 0, 0]), np.uint8)

    def _close(self) -> None:
        self.closed += 1


class NotingSink(MemorySink):
    """Keeps everything, and knows whether it was discarded; `on_write` may look at, or fail, each frame."""

    def __init__(self, on_write: Callable[[Frame], None] = lambda frame: None) -> None:
        super().__init__()
        self.discarded = False
        self.gone = False
        self._on_write = on_write

    @property
    def closed(self) -> bool:
        return self.gone

    def write(self, frame: Frame) -> None:
        self._on_write(frame)
        super().write(frame)

    def discard(self) -> None:
        self.discarded = True

    @property
    def shades(self) -> list[int]:
        return [int(frame.pixels[0, 0, 0]) for frame in self.frames]


def stages(portrayal: Portrayal | None = None, **others: Any) -> Stages[Any, Any]:
    plain: dict[str, Any] = {"parse": lambda frame: frame.pts, "motion": lambda face, seconds: face}
    return Stages(**{**plain, **others}, chain=(portrayal or Portrayal()).chain)


def statistics(clock: ManualClock | None = None) -> LiveStatistics:
    return LiveStatistics(clock or ManualClock())
