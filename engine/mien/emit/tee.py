"""One stream into two places: what is shown, and a recording beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from mien.emit.ending import Ending
from mien.emit.rebased import Rebased
from mien.emit.sink import Sink
from mien.errors import SinkError
from mien.frame import Frame
from mien.sound import Sound


class Tee(Ending):
    """Writes to a sink and, while one is attached, to a recording, whose time begins when it is attached.

    What goes wrong with the recording is told and ends the recording alone. Used by one thread.
    """

    def __init__(self, main: Sink, *, told: Callable[[str], None], beside: Sink | None = None) -> None:
        """Begin.

        Args:
            told: is told in one line what went wrong with a recording.
            beside: is attached from the beginning.
        """
        self._main = main
        self._told = told
        self._beside: Sink | None = None if beside is None else Rebased(beside)

    @property
    def recording(self) -> bool:
        return self._beside is not None

    def attach(self, beside: Sink) -> None:
        """Record from the next frame on; a recording under way is finished first."""
        self.detach()
        self._beside = Rebased(beside)

    def detach(self) -> None:
        """Finish the recording, if there is one."""
        if self._beside is not None:
            self._try(self._beside.finish)
        self._beside = None

    def write(self, frame: Frame) -> None:
        self._main.write(frame)
        if self._beside is not None:
            self._try(self._beside.write, frame)

    def write_sound(self, sound: Sound) -> None:
        self._main.write_sound(sound)
        if self._beside is not None:
            self._try(self._beside.write_sound, sound)

    def finish(self) -> None:
        try:
            self._main.finish()
        finally:
            self.detach()

    def discard(self) -> None:
        """Nothing half-written stays, but a recording that can still be finished is kept: it is of what was shown."""
        self._main.discard()
        self.detach()

    def _try(self, step: Callable[..., None], *item: Frame | Sound) -> None:
        try:
            step(*item)
        except SinkError as error:
            self._told(str(error))
            if self._beside is not None:
                with contextlib.suppress(SinkError):
                    self._beside.discard()
                self._beside = None
