from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.draw.mouth import (
    LIGHT_LIMITS,
    LINE_GAP,
    LipLine,
    OwnMouth,
    brightness_gain,
    draw_driver_mouth,
    draw_plain_mouth,
    light_gain,
    lips_of,
    match_tone,
    mouth_hint,
)
from mien.draw.outlines import outline_mask
from mien.face import topology
from mien.face.face import MouthHint
from mien.face.motion import identity_motion
from mien.portrait.portrait import Portrait
from mien.reenact.target import target_of
from mien.sums import luma

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
INNER = list(topology.INNER_LIPS)
PINK = np.array([180.0, 100.0, 95.0])


def opened(portrait: Portrait, gap: float) -> Array:
    shape = np.sin(np.linspace(0, np.pi, 11))[1:-1]
    return target_of(portrait, replace(identity_motion(), lips=gap * shape)).landmarks


def hint(brightness: float = 1.0) -> MouthHint:
    """An open mouth: teeth above, tongue below, lips around."""
    pixels = np.empty((40, 60, 3))
    pixels[:] = PINK
    pixels[8:18] = [225, 220, 205]
    pixels[18:32] = [120, 50, 50]
    angles = np.linspace(np.pi, -np.pi, 20, endpoint=False)
    outline = np.stack([30 + 24 * np.cos(angles), 20 - 12 * np.sin(angles)], axis=1)
    return MouthHint((pixels * brightness).astype(np.uint8), outline, PINK * brightness)


@pytest.mark.parametrize("kind", ["driver", "none"])
@pytest.mark.parametrize("gap", [0.02, 0.12, 0.3])
def test_a_mouth_is_drawn_only_between_the_targets_lips(kind: str, gap: float, portrait: Portrait) -> None:
    to = opened(portrait, gap)
    out = np.full_like(portrait.pixels, 250)
    if kind == "driver":
        draw_driver_mouth(hint(), PINK, to, out)
    else:
        draw_plain_mouth(None, PINK, to, out)
    mask = outline_mask(to[INNER, :2], size_of(out))
    assert (out[mask == 0] == 250).all()
    if gap > 0.1:
        assert (out[mask > 0.99] < 250).any(axis=1).mean() > 0.9


@pytest.mark.parametrize("kind", ["driver", "none"])
def test_a_closed_mouth_is_left_as_it_is(kind: str, portrait: Portrait) -> None:
    out = portrait.pixels.copy()
    to = opened(portrait, 0.0)
    if kind == "driver":
        draw_driver_mouth(hint(), PINK, to, out)
    else:
        draw_plain_mouth(None, PINK, to, out)
    assert np.abs(out.astype(int) - portrait.pixels).max() <= 2


def test_the_drivers_teeth_stay_above_its_tongue(portrait: Portrait) -> None:
    to = opened(portrait, 0.3)
    out = np.full_like(portrait.pixels, 128)
    draw_driver_mouth(hint(), PINK, to, out)
    top, bottom = to[13, :2], to[14, :2]
    x = round((top[0] + bottom[0]) / 2)
    rows = [luma(out[round(top[1] + share * (bottom[1] - top[1])), x].astype(float)) for share in (0.3, 0.75)]
    assert rows[0] > rows[1] + 40


@pytest.mark.parametrize("brightness", [0.6, 0.8, 1.1])
def test_brightness_follows_the_lips(brightness: float, portrait: Portrait) -> None:
    """A driver in another light gives about the same mouth."""
    to = opened(portrait, 0.3)
    shown = []
    for light in (1.0, brightness):
        out = np.full_like(portrait.pixels, 128)
        draw_driver_mouth(hint(light), PINK, to, out)
        mask = outline_mask(to[INNER, :2], size_of(out)) > 0.99
        shown.append(float(luma(out[mask].astype(float)).mean()))
    assert shown[1] == pytest.approx(shown[0], rel=0.08)


def test_the_gain_is_bounded() -> None:
    assert brightness_gain(PINK, PINK) == pytest.approx(1.0)
    assert brightness_gain(PINK * 0.001, PINK) == 2.0
    assert brightness_gain(PINK, PINK * 0.001) == 0.5


def test_teeth_follow_the_gain_and_cavities_stay_dark() -> None:
    drawn = np.array([[[230.0, 225.0, 210.0], [30.0, 12.0, 12.0]]], np.float32)
    out = match_tone(drawn, PINK, PINK * 1.3)
    gain = brightness_gain(PINK, PINK * 1.3)
    np.testing.assert_allclose(out[0, 0], drawn[0, 0] * gain, rtol=0.02)
    assert luma(out[0, 1]) < gain * luma(drawn[0, 1])


SKIN = np.array([205.0, 165.0, 145.0])
CANDLE = np.array([1.1, 1.0, 0.6])
"""What a warm light does to colours."""


def test_teeth_take_on_the_light_that_the_portraits_skin_is_in(portrait: Portrait) -> None:
    to = opened(portrait, 0.3)
    mask = outline_mask(to[INNER, :2], size_of(portrait.pixels)) > 0.99
    shown = []
    for skin in (SKIN, SKIN * CANDLE, SKIN / CANDLE, None):
        out = np.full_like(portrait.pixels, 128)
        draw_driver_mouth(replace(hint(), skin_colour=SKIN), PINK, to, out, skin)
        shown.append(out[mask].astype(float).mean(axis=0))
    same, warm, cold, unknown = shown
    np.testing.assert_allclose(same, unknown, atol=1.0)
    assert warm[2] / warm[0] < 0.85 * same[2] / same[0]
    assert cold[2] / cold[0] > 1.15 * same[2] / same[0]
    for tinted in (warm, cold):
        assert luma(tinted) == pytest.approx(float(luma(same)), rel=0.05)


def test_the_lights_gain_keeps_brightness_and_is_bounded() -> None:
    np.testing.assert_allclose(light_gain(SKIN, SKIN), 1.0, rtol=1e-6)
    np.testing.assert_allclose(light_gain(SKIN * 0.5, SKIN), 1.0, rtol=0.03)  # darker is no other colour
    least, most = LIGHT_LIMITS
    for skin in (SKIN * CANDLE, np.array([255.0, 0.0, 0.0]), np.zeros(3), np.array([0.0, 0.0, 255.0])):
        gain = light_gain(SKIN, skin)
        assert luma(gain) == pytest.approx(1.0, abs=1e-5)
        assert gain.max() / gain.min() <= most / least


def test_without_a_driver_an_opened_mouth_is_dark_and_smooth(portrait: Portrait) -> None:
    to = opened(portrait, 0.3)
    out = portrait.pixels.copy()
    own = mouth_hint(portrait.pixels, portrait.landmarks)
    assert own is not None
    draw_plain_mouth(own, own.lip_colour, to, out)
    mask = outline_mask(to[INNER, :2], size_of(out)) > 0.99
    bright = luma(out.astype(float))
    assert bright[mask].mean() < 0.35 * float(luma(own.lip_colour))
    both = mask[:, 1:] & mask[:, :-1]
    assert np.abs(np.diff(bright, axis=1))[both].max() < 12, "no streaks"


def test_an_open_mouth_of_the_portrait_keeps_its_teeth(portrait: Portrait) -> None:
    to = opened(portrait, 0.3)
    out = np.full_like(portrait.pixels, 128)
    draw_plain_mouth(hint(), PINK, to, out)
    x, y = np.rint(to[13, :2] + 0.25 * (to[14, :2] - to[13, :2])).astype(int)
    assert luma(out[y, x].astype(float)) > 100


def _line_between(own: OwnMouth, to: Array, side: int) -> Pixels:
    out = np.full((side, side, 3), 200, np.uint8)
    LipLine(own)(to, out)
    return out


def test_lips_shown_apart_only_get_a_dark_line_where_they_meet(portrait: Portrait) -> None:
    own = OwnMouth(hint(), PINK, None)
    side = portrait.pixels.shape[0]
    closed = opened(portrait, 0.0)
    out = _line_between(own, closed, side)
    middle = closed[[13, 14], :2].mean(axis=0)
    column = out[:, round(float(middle[0]))].sum(axis=1)
    assert abs(int(column.argmin()) - middle[1]) < 2
    assert out[round(float(middle[1])), round(float(middle[0]))].max() < 160
    lips = outline_mask(closed[list(topology.OUTER_LIPS), :2], (side, side))
    away = np.abs(np.arange(side)[:, None] - middle[1]) > 0.5 * np.ptp(closed[list(topology.OUTER_LIPS), 0])
    assert (out[(lips == 0) & away] == 200).all()


@pytest.mark.parametrize("gap", [0.0, 0.02, 0.2])
def test_no_line_is_drawn_into_open_lips_or_over_that_of_a_closed_portrait(gap: float, portrait: Portrait) -> None:
    side = portrait.pixels.shape[0]
    to = opened(portrait, gap)
    flat = hint().outline * np.array([1.0, 0.01])
    shut = OwnMouth(replace(hint(), outline=flat), PINK, None)
    assert (_line_between(shut, to, side) == 200).all()
    assert (_line_between(OwnMouth(None, PINK, None), to, side) == 200).all()
    if gap > 2 * LINE_GAP:
        assert (_line_between(OwnMouth(hint(), PINK, None), to, side) == 200).all()


def test_lips_of_a_tilted_mouth_go_there_and_back() -> None:
    angles = np.linspace(np.pi, -np.pi, 20, endpoint=False)
    flat = np.stack([30 * np.cos(angles), -10 * np.sin(angles)], axis=1)
    turn = np.array([[0.9, 0.4359], [-0.4359, 0.9]])
    lips = lips_of(flat @ turn + 100)
    np.testing.assert_allclose(lips.pixels(lips.local(flat)), flat, atol=1e-9)
    np.testing.assert_allclose(lips.local(flat @ turn + 100)[[0, 10], 0], [-0.5, 0.5], atol=1e-3)
    assert np.interp(0.0, *lips.lower) > np.interp(0.0, *lips.upper)


def test_a_hint_needs_its_mouth_in_the_frame(portrait: Portrait) -> None:
    assert mouth_hint(portrait.pixels, portrait.landmarks + [400.0, 0.0, 0.0]) is None


def size_of(pixels: Pixels) -> tuple[int, int]:
    return pixels.shape[0], pixels.shape[1]
