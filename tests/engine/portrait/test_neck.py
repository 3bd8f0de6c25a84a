"""The neck behind the head: its outline and its colours."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.portrait.portrait import Portrait
from mien.portrait.skin import NeckSkin

Floats = NDArray[np.float32]
SIDE, EYES = 120, 40.0
FACE, SHADE, COLLAR, HAIR = (210, 160, 130), (150, 112, 90), (235, 236, 238), (50, 35, 40)


def dressed(bare: bool) -> tuple[NDArray[np.uint8], Floats]:
    """A face over what is called a neck: skin in the middle (or a dark collar), a white collar left and hair right."""
    pixels = np.empty((SIDE, SIDE, 3), np.uint8)
    pixels[:60], pixels[60:] = FACE, SHADE if bare else HAIR
    pixels[60:, :40], pixels[60:, 80:] = COLLAR, HAIR
    shares = np.zeros((5, SIDE, SIDE), np.float32)
    shares[0, :60], shares[3, 60:] = 1, 1
    return pixels, shares


def known() -> NDArray[np.bool_]:
    out = np.zeros((SIDE, SIDE), np.bool_)
    out[60:] = True
    return out


def test_a_hidden_neck_is_of_the_colour_of_its_skin_and_not_of_its_collar() -> None:
    pixels, shares = dressed(bare=True)
    skin = NeckSkin.of(pixels, shares, EYES)
    assert skin is not None
    assert skin.bare[62:118, 42:78].all()
    assert not skin.bare[:, :39].any()
    assert not skin.bare[:, 83:].any()
    out = skin.hidden(pixels, known(), EYES)[:40].astype(int)
    assert np.abs(out[:, 20:100] - SHADE).max() < 12


def test_above_hair_it_begins_dark_and_above_a_collar_it_does_not() -> None:
    pixels, shares = dressed(bare=True)
    skin = NeckSkin.of(pixels, shares, EYES)
    assert skin is not None
    row = skin.hidden(pixels, known(), EYES)[57].astype(int)
    assert row[100].max() < 80, "no bright strip between a chin and hair"
    assert np.abs(row[20] - SHADE).max() < 30


def test_without_skin_it_is_no_lighter_than_a_neck_can_be() -> None:
    pixels, shares = dressed(bare=False)
    skin = NeckSkin.of(pixels, shares, EYES)
    assert skin is not None
    assert skin.hidden(pixels, known(), EYES)[:40].max() < 100
    pixels[60:] = COLLAR
    only = NeckSkin.of(pixels, shares, EYES)
    assert only is not None
    np.testing.assert_allclose(
        only.hidden(pixels, known(), EYES)[:40], np.broadcast_to(FACE, (40, SIDE, 3)) * 0.8, atol=1.5
    )
    assert NeckSkin.of(pixels, np.zeros_like(shares), EYES) is None


@pytest.mark.parametrize("name", ["aldo", "teo"])
def test_the_sides_of_a_bare_neck_go_on_behind_the_jaw_without_a_ledge(
    name: str, portraits: dict[str, Portrait]
) -> None:
    portrait = portraits[name]
    layers, unit = portrait.layers, portrait.pose.scale
    assert layers is not None
    y = layers.body.corner[1]
    chin = round(portrait.landmarks[152, 1])
    rows = layers.body.alpha[chin - round(0.5 * unit) - y : chin + round(0.05 * unit) - y] > 127
    assert rows.any(axis=1).all()
    edges = np.stack([rows.argmax(axis=1), rows.shape[1] - rows[:, ::-1].argmax(axis=1)])
    assert np.abs(np.diff(edges, axis=1)).max() < 0.06 * unit, "no step"
    widths = np.diff(edges, axis=0)[0]
    assert widths[0] < 1.05 * widths[-1], "no wider behind the jaw than below it"
    assert widths[0] > 0.5 * widths[-1]
