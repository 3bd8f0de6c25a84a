"""Sinks that touch no disk: one that keeps everything, one that keeps nothing."""

from __future__ import annotations

from mien.emit.ending import Ending
from mien.frame import Frame
from mien.sound.sound import Sound


class MemorySink(Ending):
    """Keeps what it is given, for tests and for use from Python."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.sounds: list[Sound] = []
        self.finished = False

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)

    def write_sound(self, sound: Sound) -> None:
        self.sounds.append(sound)

    def finish(self) -> None:
        self.finished = True

    def discard(self) -> None:
        self.frames.clear()
        self.sounds.clear()


class NullSink(Ending):
    """Drops what it is given, and counts it, for measuring what comes before."""

    def __init__(self) -> None:
        self.frames = 0

    def write(self, frame: Frame) -> None:
        self.frames += 1

    def write_sound(self, sound: Sound) -> None:
        """Drop it."""
