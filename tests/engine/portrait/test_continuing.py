from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.portrait.beyond import Room, body_beyond, head_beyond
from mien.portrait.continuing import continued
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


def test_a_soft_outline_goes_on_as_soft_and_without_a_step(portrait: Portrait) -> None:
    soft = 12
    ys, xs = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    opacity = np.clip((np.minimum(30 + ys, 80) - np.abs(xs - 100)) / soft + 0.5, 0, 1).astype(np.float32)
    out, room = head_beyond(opacity, portrait.landmarks, portrait.pose)
    middle = out[: room.top, 100]
    assert 2 * np.count_nonzero((middle > 0.25) & (middle < 0.75)) == pytest.approx(soft, abs=4)
    assert np.abs(out[room.top - 1] - out[room.top]).max() < 0.4


def test_a_round_outline_goes_on_bending(portrait: Portrait) -> None:
    ys, xs = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    opacity = (np.hypot(xs - 100, np.minimum(ys - 80, 0)) < 82).astype(np.float32)
    out, room = head_beyond(opacity, portrait.landmarks, portrait.pose)
    assert (out[: room.top] > 0.5).any(axis=1).sum() <= 4, "2 pixels of the circle are above the border"


def test_a_straight_side_is_rounded_off(portrait: Portrait) -> None:
    out, room = head_beyond(dome(1e6), portrait.landmarks, portrait.pose)
    assert (out[: room.top] > 0.5).any(axis=1).sum() == pytest.approx(0.3 * 60, abs=2)


def test_the_lines_of_a_collar_run_together_below_the_picture() -> None:
    pixels = np.full((SIDE, SIDE, 3), 40, np.uint8)
    pixels[:, 80:120] = 220
    alpha = np.full((SIDE, SIDE), 255, np.uint8)
    opacity, room = body_beyond(np.ones((SIDE, SIDE), np.float32), UNIT)
    layer = continued(pixels, alpha, alpha > 250, opacity, room, UNIT, 100.0)
    below = layer.pixels[SIDE:, :, 0].astype(int)
    widths = (below > 130).sum(axis=1)
    assert widths[0] == pytest.approx(40, abs=3)
    assert (np.diff(widths) <= 0).all()
    assert widths[-1] < 20
    np.testing.assert_array_equal(layer.pixels[:SIDE, room.left : room.left + SIDE], pixels)
    assert (layer.alpha[SIDE:, room.left : room.left + SIDE] == 255).all()


def test_below_a_collar_nothing_goes_on_as_rays() -> None:
    pixels = np.full((SIDE, SIDE, 3), 40, np.uint8)
    pixels[:, ::10] = pixels[:, 1::10] = pixels[:, 2::10] = 220
    alpha = np.full((SIDE, SIDE), 255, np.uint8)
    opacity, room = body_beyond(np.ones((SIDE, SIDE), np.float32), UNIT)
    below = continued(pixels, alpha, alpha > 250, opacity, room, UNIT, 100.0).pixels[SIDE:, :, 0].astype(int)
    inside = slice(room.left + 75, room.left + 125)
    contrast = np.ptp(below[:, inside], axis=1)
    assert contrast[0] > 100, "no step at the border"
    assert contrast[round(0.25 * UNIT) :].max() < 12


def test_what_is_near_a_side_is_not_seen_twice() -> None:
    pixels = np.full((SIDE, SIDE, 3), 120, np.uint8)
    pixels[80:110, SIDE - 25 : SIDE - 10, 0] = pixels[80:110, 10:25, 0] = 250  # ears, 10 pixels from the borders
    alpha = np.full((SIDE, SIDE), 255, np.uint8)
    opacity, room = body_beyond(np.ones((SIDE, SIDE), np.float32), UNIT)
    layer = continued(pixels, alpha, alpha > 250, opacity, room, UNIT)
    for beside in (layer.pixels[:SIDE, : room.left], layer.pixels[:SIDE, -room.right :]):
        assert np.abs(beside.astype(int) - 120).max() <= 2


def test_without_room_a_layer_stays_as_it_is() -> None:
    pixels, alpha = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8)
    layer = continued(pixels, alpha, alpha > 0, np.zeros((8, 8), np.float32), Room(), UNIT)
    assert layer.pixels is pixels
    assert layer.corner == (0, 0)


def test_a_body_half_sure_at_the_border_is_not_half_transparent_beyond() -> None:
    opacity = np.full((SIDE, SIDE), 0.6, np.float32)
    out, room = body_beyond(opacity, UNIT)
    assert out[SIDE + 5, room.left + 100] == 1
    np.testing.assert_array_equal(out[:SIDE, room.left : room.left + SIDE], opacity)
