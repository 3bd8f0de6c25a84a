"""Hair and veils that hang from the head on to the body."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.portrait.hanging import softened

Floats = NDArray[np.float32]
SIDE, EYES, CUT = 160, 50.0, 80
HAIR, SHIRT, SKIN = (60, 40, 30), (190, 200, 210), (210, 160, 130)
Colour = tuple[int, int, int]


def parted(above: Colour, below: Colour, group: int) -> tuple[Floats, Floats]:
    """`softened` of a person of two colours whose upper half is of one of the groups of classes and of the head."""
    pixels = np.empty((SIDE, SIDE, 3), np.uint8)
    pixels[:CUT], pixels[CUT:] = above, below
    pixels += np.random.default_rng(0).integers(0, 6, pixels.shape, dtype=np.uint8)
    share, shares = np.zeros((SIDE, SIDE), np.float32), np.zeros((5, SIDE, SIDE), np.float32)
    share[:CUT], shares[group, :CUT], shares[4, CUT:] = 1, 1, 1
    return softened(pixels, share, np.ones_like(share), shares, EYES)


def test_a_veil_changes_layers_softly_and_both_show_it() -> None:
    share, both = parted(HAIR, HAIR, 2)
    middle = share[:, SIDE // 2]
    soft = np.count_nonzero((middle > 0.1) & (middle < 0.9))
    assert soft == pytest.approx(0.4 * EYES, abs=6)
    assert (np.diff(middle) <= 1e-6).all()
    assert both[CUT - 4 : CUT + 4].min() > 0.9
    assert both[: CUT // 2].max() == both[-CUT // 2 :].max() == 0


@pytest.mark.parametrize(("above", "below", "group"), [(HAIR, SHIRT, 2), (SKIN, SKIN, 0), (SKIN, SHIRT, 1)])
def test_a_jaw_and_hair_on_a_shirt_keep_their_edge(above: Colour, below: Colour, group: int) -> None:
    share, both = parted(above, below, group)
    assert both.max() < 0.05
    np.testing.assert_allclose(share[: CUT - 1], 1, atol=0.02)
    np.testing.assert_allclose(share[CUT + 1 :], 0, atol=0.02)
