"""The process behind `SubprocessSink`: streams the pickled settings, frames and sound of its standard input."""

from __future__ import annotations

import pickle
import sys
from typing import Any, BinaryIO

from mien.emit.sink import Sink
from mien.emit.stream import StreamSink
from mien.emit.subprocess_sink import DONE, READY
from mien.errors import SinkError
from mien.sound.sound import Sound


def send(items: BinaryIO, answers: BinaryIO) -> None:
    """The process behind `SubprocessSink`: streams the pickled settings, frames and sound of its standard input."""
    name, settings, threads = pickle.load(items)
    try:
        sink = StreamSink(name, settings, threads=threads)
        _say(answers, READY)
        _pass_on(items, sink)
        _say(answers, DONE)
    except SinkError as error:
        _say(answers, str(error))


def _pass_on(items: BinaryIO, sink: Sink) -> None:
    with sink:
        while (item := _next(items)) is not None:
            if isinstance(item, Sound):
                sink.write_sound(item)
            else:
                sink.write(item)


def _next(items: BinaryIO) -> Any:
    try:
        return pickle.load(items)
    except (EOFError, pickle.UnpicklingError):
        return None  # whoever sent has gone


def _say(answers: BinaryIO, line: str) -> None:
    answers.write(f"{line}\n".encode())
    answers.flush()


if __name__ == "__main__":
    send(sys.stdin.buffer, sys.stdout.buffer)
