from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.portrait.beyond import Room, body_beyond, head_beyond
from mien.portrait.continuing import Neckline, continued
from mien.portrait.portrait import Portrait

Floats = NDArray[np.float32]
SIDE, UNIT = 200, 50.0


def dome(slope: float) -> Floats:
    """A head whose outline meets the upper border of the picture with a slope, 60 pixels wide there."""
    ys, xs = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    return np.asarray(np.abs(xs - 100) < np.minimum(30 + ys / slope, 80), dtype=np.float32)


@pytest.mark.parametrize("slope", [0.3, 1.0])
def test_a_cut_crown_goes_on_at_the_slope_of_its_outline(slope: float, portrait: Portrait) -> None:
    out, room = head_beyond(dome(slope), portrait.landmarks, portrait.pose)
    assert room.top > 0
    assert room.left == room.right == 0
    tall = (out[: room.top] > 0.5).any(axis=1).sum()
    assert tall == pytest.approx(min(slope * 60 / 4, 0.3 * 60), abs=3)
    last = out[room.top - 2] > 0.5
    assert abs(int(last.sum()) - (60 - 4 / slope)) < 6, "no step where the border was"


def test_a_straight_side_is_rounded_off(portrait: Portrait) -> None:
    out, room = head_beyond(dome(1e6), portrait.landmarks, portrait.pose)
    assert (out[: room.top] > 0.5).any(axis=1).sum() == pytest.approx(0.3 * 60, abs=2)


def test_the_lines_of_a_collar_run_together_below_the_picture() -> None:
    pixels = np.full((SIDE, SIDE, 3), 40, np.uint8)
    pixels[:, 80:120] = 220
    alpha = np.full((SIDE, SIDE), 255, np.uint8)
    opacity, room = body_beyond(np.ones((SIDE, SIDE), np.float32), UNIT)
    layer = continued(pixels, alpha, alpha > 250, opacity, room, Neckline(100.0, UNIT))
    below = layer.pixels[SIDE:, :, 0].astype(int)
    widths = (below > 130).sum(axis=1)
    assert widths[0] == pytest.approx(40, abs=3)
    assert (np.diff(widths) <= 0).all()
    assert widths[-1] < 20
    np.testing.assert_array_equal(layer.pixels[:SIDE, room.left : room.left + SIDE], pixels)
    assert (layer.alpha[SIDE:, room.left : room.left + SIDE] == 255).all()


def test_without_room_a_layer_stays_as_it_is() -> None:
    pixels, alpha = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8)
    layer = continued(pixels, alpha, alpha > 0, np.zeros((8, 8), np.float32), Room())
    assert layer.pixels is pixels
    assert layer.corner == (0, 0)


def test_a_body_half_sure_at_the_border_is_not_half_transparent_beyond() -> None:
    opacity = np.full((SIDE, SIDE), 0.6, np.float32)
    out, room = body_beyond(opacity, UNIT)
    assert out[SIDE + 5, room.left + 100] == 1
    np.testing.assert_array_equal(out[:SIDE, room.left : room.left + SIDE], opacity)
