"""A portrait ready to be moved by motions from anywhere, through the same stages that a user's driver goes through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.capture.indexed import IndexedSource
from mien.capture.source import SourceInfo
from mien.config import Mouth, ReenactSettings
from mien.face.face import MouthHint
from mien.face.motion import Motion, identity_motion
from mien.frame import Frame
from mien.portrait import Portrait
from mien.stages import open_stages

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
RATE = Fraction(25)


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What came out."""

    pixels: Pixels
    """(H, W, 3), its own."""
    landmarks: Array
    """(478, 3): the shape that was aimed at, in its pixels."""


Puppet = Callable[[Motion | None, int], Shown]
"""(motion, number of the frame) -> what is shown; None shows the portrait at rest."""


@contextmanager
def open_puppet(portrait: Portrait, settings: ReenactSettings) -> Iterator[Puppet]:
    """The stages from `reenact` on for one portrait; closed on leaving.

    Raises:
        MienError: the model cannot be opened.
    """
    with open_stages((portrait,), _OnePicture(portrait.pixels), settings) as stages:
        (_, synthesise), *others = stages.synthesis

        def show(motion: Motion | None, number: int) -> Shown:
            syntheses = synthesise(motion, Frame(portrait.pixels, number, 1 / RATE))
            shape = max(syntheses, key=lambda one: one.weight).landmarks.copy()
            value: Any = syntheses
            for _, stage in others:
                value = stage(value)
            return Shown(value, shape)

        yield show


def settings_for(model: Any, mouth: Mouth, *, smooth: float = 0.0, threads: int | None = None) -> ReenactSettings:
    """Settings of a model by its name or bundle; `smooth` is off where frames do not follow each other.

    Raises:
        SettingError: there is no such model.
    """
    return ReenactSettings(model=model, mouth=mouth, smooth=smooth, mark=False, threads=threads)


def towards(landmarks: Array, size: tuple[int, int], hint: MouthHint | None = None) -> Motion:
    """The motion of `--motion absolute` to `landmarks` (478, 3) in pixels of a picture of `size` (width, height)."""
    width, height = size
    shares = landmarks / np.array([width, height, width], dtype=np.float64)
    return replace(identity_motion(), landmarks=shares, hint=hint)


class _OnePicture(IndexedSource):
    """A source that no neutral is looked for in: the motions come from elsewhere."""

    def __init__(self, pixels: Pixels) -> None:
        super().__init__("picture", lambda _: pixels, range(1), rate=RATE)

    @property
    def info(self) -> SourceInfo:
        return replace(super().info, seekable=False)
