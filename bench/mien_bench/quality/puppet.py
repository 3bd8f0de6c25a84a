"""A portrait ready to be moved by motions from anywhere, through the same stages that a user's driver goes through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.capture.sequence import IndexedSource
from mien.capture.source import SourceInfo
from mien.config import Mouth, ReenactSettings
from mien.face.face import MouthHint
from mien.face.motion import Motion, identity_motion
from mien.frame import Frame
from mien.portrait.portrait import Portrait
from mien.stages import open_stages
from mien.synthesis import Synthesis

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
def open_puppet(
    portrait: Portrait | Sequence[Portrait], settings: ReenactSettings, *, fusion: bool = True
) -> Iterator[Puppet]:
    """The stages from `reenact` on for one portrait, or several of one person; closed on leaving.

    `fusion`: whether the warped portrait is kept where the model's mask says so; without, all that it painted is shown.

    Raises:
        MienError: the model cannot be opened.
    """
    portraits = (portrait,) if isinstance(portrait, Portrait) else tuple(portrait)
    pixels = portraits[0].pixels
    with open_stages(portraits, _OnePicture(pixels), settings) as stages:
        (_, synthesise), *others = stages.synthesis

        def show(motion: Motion | None, number: int) -> Shown:
            syntheses = synthesise(motion, Frame(pixels, number, 1 / RATE))
            if not fusion:
                syntheses = tuple(unfused(one) for one in syntheses)
            shape = max(syntheses, key=lambda one: one.weight).landmarks.copy()
            value: Any = syntheses
            for _, stage in others:
                value = stage(value)
            return Shown(value, shape)

        yield show


def unfused(synthesis: Synthesis) -> Synthesis:
    """A synthesis that keeps nothing of the warped portrait where a generator painted."""
    painting = synthesis.painting
    if painting is None:
        return synthesis
    return replace(synthesis, painting=replace(painting, mask=np.zeros_like(painting.mask)))


def settings_for(model: str, mouth: Mouth, *, smooth: float = 0.0, threads: int | None = None) -> ReenactSettings:
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
