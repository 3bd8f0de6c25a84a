"""Sinks of frames: video files, pictures, a window, streams, a virtual camera, memory, or nothing.

    with mien.emit.open("out.mp4", settings) as sink:
        sink.write(frame)

A clean exit finishes the output under its name; an exception leaves nothing. Importing this module costs nothing: the
rooms behind it, and libav, are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.emit.opening import open
    from mien.emit.sink import MemorySink, NullSink, Sink, SinkSettings
    from mien.emit.video import VideoQuality

__all__ = ["MemorySink", "NullSink", "Sink", "SinkSettings", "VideoQuality", "open"]

_HOMES = {
    "MemorySink": "mien.emit.sink",
    "NullSink": "mien.emit.sink",
    "Sink": "mien.emit.sink",
    "SinkSettings": "mien.emit.sink",
    "VideoQuality": "mien.emit.video",
    "open": "mien.emit.opening",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'mien.emit' has no attribute {name!r}")
