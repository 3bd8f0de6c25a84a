"""Gains by name, for who wants no sliders."""

from __future__ import annotations

from typing import Final

from mien.config import GAIN_LIMIT, Gains

PRESETS: Final = {
    "natural": Gains(),
    "calm": Gains(expression=0.7, pose=0.6, brows=0.7, translation=0.4),
    "lively": Gains(expression=1.3, brows=1.2),
    "face-only": Gains(pose=0.0, translation=0.0),
}
"""In the order in which keys choose them."""


def applied(preset: str, given: Gains) -> Gains:
    """The gains of a preset, each times what is `given` beside: `natural` is `given` itself."""
    gains = PRESETS[preset]
    names = Gains.__slots__
    return Gains(**{name: min(getattr(gains, name) * getattr(given, name), GAIN_LIMIT) for name in names})
