from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mien.draw.mouth import mouth_hint
from mien.face.motion import identity_motion
from mien.fuse.background import Background
from mien.fuse.finish import Tone
from mien.fuse.fuse import KEEP, Fuse
from mien.portrait.portrait import Portrait
from mien.posed import Painting, Posed
from mien.reenact.reenact import Reenact
from mien.sums import luma

Pixels = NDArray[np.uint8]
SEPIA = ((1.07, 6.0), (0.86, 3.0), (0.66, 0.0))


def grey(pixels: Pixels) -> Pixels:
    return np.repeat(np.rint(luma(pixels.astype(np.float64))).astype(np.uint8)[..., None], 3, axis=-1)


def sepia(pixels: Pixels) -> Pixels:
    bright = luma(pixels.astype(np.float64))
    return np.dstack([np.clip(np.rint(bright * share + lift), 0, 255) for share, lift in SEPIA]).astype(np.uint8)


def as_jpeg(pixels: Pixels) -> Pixels:
    kept = io.BytesIO()
    Image.fromarray(pixels).save(kept, "jpeg", quality=80)
    return np.asarray(Image.open(kept))


def toned(portrait: Portrait, pixels: Pixels) -> Portrait:
    assert portrait.background is not None
    return replace(portrait, pixels=pixels, background=grey(portrait.background), layers=None, digest="toned")


def wide(portrait: Portrait, driver: Portrait, painted: tuple[int, int, int] | None) -> tuple[Posed, Painting | None]:
    """A mouth wide open: that of `driver`, or paint in one colour."""
    hint = mouth_hint(driver.pixels, driver.landmarks)
    (posed,) = Reenact((portrait,))(replace(identity_motion(), lips=np.full(9, 0.25), hint=hint), 0.0)
    if painted is None:
        return posed, None
    colour, mask = np.full((64, 64, 3), painted, np.uint8), np.zeros((64, 64), np.float32)
    matrix = np.column_stack([np.eye(2), 32 - portrait.landmarks[13, :2].round()])
    return posed, Painting(colour, mask, matrix)


@pytest.mark.parametrize("painted", [None, (220, 40, 40)])
@pytest.mark.parametrize("background", [KEEP, Background("blur")])
def test_nothing_red_comes_into_a_black_and_white_portrait(
    portraits: dict[str, Portrait], painted: tuple[int, int, int] | None, background: Background
) -> None:
    portrait = toned(portraits["aldo"], grey(portraits["aldo"].pixels))
    posed, painting = wide(portrait, portraits["teo"], painted)
    shown = Fuse("driver", background=background)((posed,), (painting,))
    assert np.ptp(shown.astype(int), axis=-1).max() <= 2


def test_a_toned_portrait_keeps_its_tone(portraits: dict[str, Portrait]) -> None:
    portrait = toned(portraits["aldo"], as_jpeg(sepia(portraits["aldo"].pixels)))
    tone = Tone.of(portrait)
    assert tone is not None
    window = np.full((2, 2, 3), (220, 40, 40), np.uint8)
    tone(window)
    shares, lifts = np.array(SEPIA).T
    before = (luma(np.array([220.0, 40.0, 40.0])) - luma(lifts)) / luma(shares)  # whose sepia is as bright
    assert np.abs(window[0, 0] - (before * shares + lifts)).max() < 3


def test_a_portrait_in_colour_has_no_tone_however_pale(portraits: dict[str, Portrait]) -> None:
    for portrait in portraits.values():
        assert Tone.of(portrait) is None
        pale = (0.25 * portrait.pixels + 0.75 * grey(portrait.pixels)).astype(np.uint8)
        assert Tone.of(replace(portrait, pixels=pale)) is None


def test_red_lips_in_a_grey_picture_are_colour(portraits: dict[str, Portrait]) -> None:
    portrait = portraits["mira"]
    pixels = grey(portrait.pixels)
    x0, y0 = portrait.landmarks[[61, 0], [0, 1]].astype(int)
    x1, y1 = portrait.landmarks[[291, 17], [0, 1]].astype(int)
    pixels[y0:y1, x0:x1] = portrait.pixels[y0:y1, x0:x1]
    assert Tone.of(replace(portrait, pixels=pixels)) is None
