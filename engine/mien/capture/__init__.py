"""Sources of frames: video files, pictures, image sequences, arrays, cameras, streams, and a test pattern.

    with mien.capture.open("clip.mp4", start=2.0, duration=5.0) as source:
        for item in source:  # Frame, and Sound in step with it
            ...

Importing this module is cheap: its implementation and libav are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.capture import image, synthetic
    from mien.capture.opening import open
    from mien.capture.source import Source, SourceInfo

__all__ = ["Source", "SourceInfo", "image", "open", "synthetic"]

_HOMES = {
    "Source": "mien.capture.source",
    "SourceInfo": "mien.capture.source",
    "open": "mien.capture.opening",
}
_MODULES = frozenset({"image", "synthetic"})


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _MODULES:
        return import_module(f"mien.capture.{name}")
    raise AttributeError(f"module 'mien.capture' has no attribute {name!r}")
