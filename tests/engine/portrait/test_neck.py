"""The neck behind the head: its outline and its colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face import topology
from mien.portrait.hidden import RISES, hidden_body
from mien.portrait.portrait import Portrait
from mien.portrait.shade import LIFTS, Shade
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


def test_what_is_hidden_beside_skin_is_skin_and_beside_a_collar_is_not() -> None:
    pixels, shares = dressed(bare=True)
    skin = NeckSkin.of(pixels, shares, EYES)
    assert skin is not None
    near = skin.nearest(known(), EYES)
    assert near[:60, 44:76].min() > 0.95
    assert near[:60, :36].max() < 0.05
    assert not skin.nearest(np.zeros_like(known()), EYES).any()


def test_no_cloth_stands_up_beside_a_neck_between_hair(portraits: dict[str, Portrait]) -> None:
    portrait = portraits["mira"]
    assert portrait.layers is not None
    body, unit = portrait.layers.body, portrait.pose.scale
    left, top = np.rint(portrait.landmarks[152, :2] - body.corner).astype(int)
    rows = slice(top - round(0.5 * unit), top + round(0.1 * unit))
    columns = slice(left - round(unit), left + round(unit))
    red, _, blue = body.pixels[rows, columns][body.alpha[rows, columns] > 60].astype(int).T
    assert len(red) > 1000
    assert (red > blue).all(), "the pullover is blue"


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


def test_no_corner_of_the_body_stands_out_beside_a_jaw(portrait: Portrait) -> None:
    landmarks, (width, height) = portrait.landmarks, portrait.size
    unit, chin = portrait.pose.scale, round(landmarks[152, 1])
    head = np.zeros((height, width), np.float32)
    cv2.fillPoly(head, [np.rint(landmarks[list(topology.OVAL), :2]).astype(np.int32)], 1)
    body = np.where(np.arange(height)[:, None] > chin - 0.4 * unit, 1 - head, np.float32(0)).astype(np.float32)
    whole = np.maximum(head, body)
    hidden, _ = hidden_body(head, body, whole, np.zeros_like(head, dtype=np.bool_), landmarks, portrait.pose)
    away = cv2.distanceTransform((body < 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    room = cv2.distanceTransform((whole > 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    beside = (hidden > 0.5) & (room < 0.12 * unit) & (body < 0.5)
    assert beside.sum() > 20
    assert (away[beside] <= RISES * room[beside] + 2.5).all()
    within = (room > 0.2 * unit) & (away < 0.1 * unit) & (head > 0.5)
    assert (hidden[within] > 0.5).all(), "no gap opens between jaw and collar"


def test_no_thread_of_the_head_runs_along_the_edge_of_the_body(portrait: Portrait) -> None:
    assert portrait.layers is not None
    width, height = portrait.size
    (x, y), (left, top) = portrait.layers.head.corner, portrait.layers.body.corner
    head = portrait.layers.head.alpha[-y : height - y, -x : width - x]
    body = portrait.layers.body.alpha[-top : height - top, -left : width - left]
    away = cv2.distanceTransform((head < 200).astype(np.uint8), cv2.DIST_L2, 3)
    edge = (body > 5) & (body < 250) & (away > 0.08 * portrait.pose.scale)
    assert edge.sum() > 500
    assert (head[edge] > 12).sum() < 10


def test_what_is_dark_of_itself_does_not_glow_without_the_shadow_of_the_chin() -> None:
    shade = Shade(np.full((4, 4), 0.4, np.float32), np.zeros(3, np.float32))
    np.testing.assert_allclose(shade.lifted(np.full((4, 4, 3), 120, np.float32)), LIFTS * 120, rtol=1e-5)
    faint = Shade(np.full((4, 4), 0.1, np.float32), np.zeros(3, np.float32))
    np.testing.assert_allclose(faint.lifted(np.full((4, 4, 3), 90, np.float32)), 100, rtol=1e-5)
