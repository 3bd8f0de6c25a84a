"""mien: animates a portrait with a live face.

Two calls animate a portrait; everything else is reached through its module (`mien.capture`, `mien.emit`, ...):

    portrait = mien.prepare("portrait.jpg")
    for frame in mien.animate(portrait, mien.capture.open("clip.mp4")):
        ...

Importing `mien` costs nothing: names and modules are loaded on first use. It turns off the telemetry of the packages
that mien runs on, before any of them is loaded.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mien.machine import telemetry

if TYPE_CHECKING:
    import mien.capture as capture
    import mien.emit as emit
    import mien.samples as samples
    from mien.api import animate
    from mien.avatars import avatar
    from mien.config import Gains, MotionSettings, ReenactSettings
    from mien.errors import MienError
    from mien.frame import Frame
    from mien.labelling import parse_labels
    from mien.morphing.pictures import morph
    from mien.portrait.prepare import prepare

__all__ = [
    "Frame",
    "Gains",
    "MienError",
    "MotionSettings",
    "ReenactSettings",
    "__version__",
    "animate",
    "avatar",
    "capture",
    "emit",
    "morph",
    "parse_labels",
    "prepare",
    "samples",
]

_HOMES = {
    "Frame": "mien.frame",
    "Gains": "mien.config",
    "MienError": "mien.errors",
    "MotionSettings": "mien.config",
    "ReenactSettings": "mien.config",
    "animate": "mien.api",
    "avatar": "mien.avatars",
    "morph": "mien.morphing.pictures",
    "parse_labels": "mien.labelling",
    "prepare": "mien.portrait.prepare",
}
_MODULES = frozenset({"capture", "emit", "samples"})

__version__: str

telemetry.turn_off()


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _MODULES:
        return import_module(f"mien.{name}")
    if name == "__version__":
        from mien.provenance import own_version

        return own_version()
    raise AttributeError(f"module 'mien' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
