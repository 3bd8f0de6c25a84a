"""Protocol of a sink, its context manager (finish or discard), and two sinks in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType
from typing import Protocol, Self

from mien.credentials.signing import Credentials
from mien.frame import Frame
from mien.marking.payload import Payload
from mien.sound.sound import Sound, SoundFormat


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """Properties of the frames that a sink will get."""

    width: int
    height: int
    rate: Fraction
    """Nominal frames per second."""
    time_base: Fraction
    """Of the frames that will come."""
    sound: SoundFormat | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    """Container metadata: the provenance record, flat."""
    payload: Payload | None = None
    """What the invisible mark says; None: there is none."""
    credentials: Credentials | None = None
    """What files say of themselves, signed; None: nothing."""
    alpha: bool = False
    """Whether the frames' transparency is to be kept; refused by what cannot."""


class Sink(Protocol):
    """Output of frames; a context manager that finishes on a clean exit and discards on an exception."""

    @property
    def closed(self) -> bool:
        """Whether the output is gone, such as a window that the user has closed."""
        ...

    @property
    def dropped(self) -> int:
        """Frames dropped because the output was too slow."""
        ...

    def write(self, frame: Frame) -> None:
        """Take the next frame."""
        ...

    def write_sound(self, sound: Sound) -> None:
        """Take the next run of sound; its times are on the frames' line."""
        ...

    def finish(self) -> None:
        """Flush, close, and give the output its final name."""
        ...

    def discard(self) -> None:
        """Stop and remove partial output."""
        ...

    def stop(self) -> None:
        """End a call that waits for whoever takes the output, and have later ones fail; from any thread."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SinkBase:
    """What most sinks share: never closed by the user, no dropped frames; as a context manager, a clean exit finishes
    and an exception or an interrupt discards."""

    @property
    def closed(self) -> bool:
        """Whether the output is gone, such as a window that the user has closed."""
        return False

    @property
    def dropped(self) -> int:
        """Frames dropped because the output was too slow."""
        return 0

    def finish(self) -> None:
        """Flush, close, and give the output its final name."""

    def discard(self) -> None:
        """Stop and remove partial output."""

    def stop(self) -> None:
        """End a call that waits for whoever takes the output, and have later ones fail; from any thread."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()
            return
        try:
            self.finish()
        except BaseException:
            self.discard()
            raise


class Wrapping(SinkBase):
    """A sink around another one, which everything is handed on to; what it changes is overridden."""

    def __init__(self, inner: Sink) -> None:
        self._inner = inner

    @property
    def closed(self) -> bool:
        """Of the sink within."""
        return self._inner.closed

    @property
    def dropped(self) -> int:
        """By the sink within."""
        return self._inner.dropped

    def write(self, frame: Frame) -> None:
        """Hand on."""
        self._inner.write(frame)

    def write_sound(self, sound: Sound) -> None:
        """Hand on."""
        self._inner.write_sound(sound)

    def finish(self) -> None:
        """Finish the sink within."""
        self._inner.finish()

    def discard(self) -> None:
        """Discard the sink within."""
        self._inner.discard()

    def stop(self) -> None:
        """Stop the sink within."""
        self._inner.stop()


class MemorySink(SinkBase):
    """Keeps what it is given, for tests and for use from Python."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.sounds: list[Sound] = []
        self.finished = False

    def write(self, frame: Frame) -> None:
        """Keep it."""
        self.frames.append(frame)

    def write_sound(self, sound: Sound) -> None:
        """Keep it."""
        self.sounds.append(sound)

    def finish(self) -> None:
        """Note that it is whole."""
        self.finished = True

    def discard(self) -> None:
        """Forget everything."""
        self.frames.clear()
        self.sounds.clear()


class NullSink(SinkBase):
    """Drops what it is given, and counts it, for measuring what comes before."""

    def __init__(self) -> None:
        self.frames = 0

    def write(self, frame: Frame) -> None:
        """Count it."""
        self.frames += 1

    def write_sound(self, sound: Sound) -> None:
        """Drop it."""
