"""A portrait ready to be moved by motions from anywhere, through the same stages that a user's driver goes through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mien.chain import open_chain
from mien.config import Mouth, ReenactSettings
from mien.face.face import MouthHint
from mien.face.motion import Motion, identity_motion
from mien.machine.processor import usable_threads
from mien.portrait.portrait import Portrait
from mien.posed import Painting, Posed

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
    posed: tuple[Posed, ...]
    """The geometry; its flow is valid until the next frame."""


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
    with closing(open_chain(portraits, settings, settings.threads or usable_threads(), warm=False)) as chain:

        def show(motion: Motion | None, number: int) -> Shown:
            posed = chain.reenact(motion, number / float(RATE))
            paintings = None if chain.paint is None else chain.paint(posed)
            if paintings is not None and not fusion:
                paintings = tuple(None if one is None else unfused(one) for one in paintings)
            shape = max(posed, key=lambda one: one.weight).landmarks.copy()
            return Shown(chain.smooth(chain.fuse(posed, paintings), posed), shape, posed)

        yield show


def unfused(painting: Painting) -> Painting:
    """A painting that leaves nothing of the warped portrait."""
    return replace(painting, mask=np.zeros_like(painting.mask))


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
