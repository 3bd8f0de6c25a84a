from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.face import topology
from mien.portrait import prepare as preparing
from mien.portrait import working
from mien.portrait.portrait import Layer, Layers, Portrait
from mien.portrait.prepare import portrait_of
from mien_kernels import ops

Pixels = NDArray[np.uint8]
NAMES = ("aldo", "mira", "teo")
LARGE = 1400
"""Longer side of a portrait that is taken apart at a smaller size."""
FINE = 12
"""Levels by which the pattern laid over it differs from pixel to pixel."""


def layers_of(portrait: Portrait) -> Layers:
    assert portrait.layers is not None
    return portrait.layers


def in_picture(layer: Layer, size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """A layer's colours (H, W, 3) and opacity (H, W) in the picture."""
    width, height = size
    x, y = layer.corner
    rows, columns = slice(-y, height - y), slice(-x, width - x)
    return np.ascontiguousarray(layer.pixels[rows, columns]), np.ascontiguousarray(layer.alpha[rows, columns])


def check_composite(portrait: Portrait) -> None:
    layers = layers_of(portrait)
    out = layers.background
    for layer in (layers.body, layers.head):
        colours, alpha = in_picture(layer, portrait.size)
        out = ops.blend(out, colours, alpha)
    off = np.abs(out.astype(int) - portrait.pixels).max(axis=2)
    assert np.percentile(off, 99.9) <= 1
    assert off.max() <= 3


@pytest.fixture(scope="module")
def large(portrait: Portrait) -> Portrait:
    """`portrait` enlarged beyond the working size, with a pattern all over that only its own pixels can show."""
    times = LARGE / max(portrait.size)
    ys, xs = np.mgrid[:LARGE, :LARGE]
    pattern = np.where((xs + ys) % 2, FINE, -FINE)[..., None]
    pixels = cv2.resize(portrait.pixels, (LARGE, LARGE), interpolation=cv2.INTER_LINEAR) + pattern
    shift = (times - 1) / 2 * np.array([1, 1, 0])
    return portrait_of(np.clip(pixels, 0, 255).astype(np.uint8), portrait.landmarks * times + shift)


@pytest.mark.parametrize("name", NAMES)
def test_the_layers_laid_over_each_other_are_the_picture(name: str, portraits: dict[str, Portrait]) -> None:
    check_composite(portraits[name])


def test_so_are_those_of_a_picture_beyond_the_working_size(large: Portrait) -> None:
    assert max(large.size) > working.LARGEST
    check_composite(large)


def test_a_larger_picture_is_taken_apart_in_the_same_places(large: Portrait, portrait: Portrait) -> None:
    for part in ("head", "body"):
        own, same = (in_picture(getattr(layers_of(one), part), one.size)[1] for one in (large, portrait))
        shrunk = cv2.resize(own, portrait.size, interpolation=cv2.INTER_AREA)
        apart = np.abs(shrunk.astype(int) - same)
        assert (apart > 64).mean() < 0.01, part
        assert apart.mean() < 2, part
    times = LARGE / max(portrait.size)
    for part in ("head", "body"):
        own, same = (getattr(layers_of(one), part) for one in (large, portrait))
        np.testing.assert_allclose(own.corner, np.array(same.corner) * times, atol=times)
        np.testing.assert_allclose(own.alpha.shape, np.array(same.alpha.shape) * times, atol=2 * times)
    np.testing.assert_allclose(layers_of(large).reach, layers_of(portrait).reach, atol=0.1)


def test_what_is_seen_of_a_larger_picture_keeps_its_own_pixels(large: Portrait, portrait: Portrait) -> None:
    layers, small = layers_of(large), layers_of(portrait)
    (_, head), (_, body) = (in_picture(layer, portrait.size) for layer in (small.head, small.body))
    chin = portrait.landmarks[152, 1] + 0.5 * portrait.pose.scale  # below its shadow
    cloth = (head == 0) & (body == 255) & (np.arange(len(head))[:, None] > chin)
    behind = (head == 0) & (body == 0)
    seen = ((layers.background, behind, 0), (in_picture(layers.body, large.size)[0], cloth, 255))
    for colours, where, opacity in seen:
        inside = cv2.erode(where.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1)
        assert inside.mean() > 0.05
        there = cv2.resize(inside, large.size, interpolation=cv2.INTER_NEAREST) > 0
        alike = (np.abs(colours.astype(int) - large.pixels).max(axis=2) <= 1)[there]
        assert alike.mean() > 0.99
        assert (in_picture(layers.body, large.size)[1][there] == opacity).mean() > 0.99
        assert (in_picture(layers.head, large.size)[1][there] == 0).mean() > 0.99


@pytest.mark.parametrize("name", NAMES)
def test_the_face_is_the_heads_and_shoulders_are_not(name: str, portraits: dict[str, Portrait]) -> None:
    portrait = portraits[name]
    _, alpha = in_picture(layers_of(portrait).head, portrait.size)
    x, y = np.rint(portrait.landmarks[:468, :2]).astype(int).T
    assert (alpha[y, x] > 127).mean() > 0.97
    assert (alpha[-20:] < 32).all(), "the lower border shows cloth"
    hair = np.rint(portrait.landmarks[10, :2] - (0, 0.45 * portrait.pose.scale)).astype(int)
    assert alpha[hair[1], hair[0]] > 240


@pytest.mark.parametrize("name", NAMES)
def test_the_neck_goes_on_behind_the_chin_and_the_background_behind_all(
    name: str, portraits: dict[str, Portrait]
) -> None:
    portrait = portraits[name]
    layers, unit = layers_of(portrait), portrait.pose.scale
    colours, alpha = in_picture(layers.body, portrait.size)
    x, y = np.rint(portrait.landmarks[152, :2]).astype(int)
    above, below = y - round(0.2 * unit), y + round(0.15 * unit)
    assert (alpha[above:below, x] > 250).all(), "no hole behind the chin"
    hidden, seen = colours[above, x].astype(float), colours[below, x].astype(float)
    assert np.abs(hidden - seen).max() < 70, "the colour of the neck goes on"
    assert layers.background.shape == portrait.pixels.shape
    apart = np.abs(layers.background.astype(float) - portrait.pixels)[portrait.landmarks[1, :2].astype(int)[1], x]
    assert apart.max() > 20, "the nose is not in the background"


def test_a_head_that_the_frame_cuts_is_rounded_off_beyond_it(portrait: Portrait) -> None:
    top = int(portrait.landmarks[10, 1])  # cut at the forehead
    cut = np.ascontiguousarray(portrait.pixels[top // 2 * 2 :])
    landmarks = portrait.landmarks - (0, top // 2 * 2, 0)
    layers = layers_of(portrait_of(cut, landmarks))
    x, y = layers.head.corner
    assert y < 0
    beyond = layers.head.alpha[:-y]
    middle = round(float(landmarks[10, 0])) - x
    assert beyond[-1, middle] == 255
    assert (beyond[0] == 0).all()
    widths = (beyond > 127).sum(axis=1)
    assert (np.diff(widths) >= 0).all(), "narrower towards the crown"
    colour = layers.head.pixels[-y - 3, middle].astype(int)
    assert np.abs(colour - cut[3, round(float(landmarks[10, 0]))]).max() < 60


def test_the_outline_is_outside_of_the_contour(portraits: dict[str, Portrait]) -> None:
    for name in NAMES:
        reach = layers_of(portraits[name]).reach
        assert reach.shape == (len(topology.OVAL),)
        assert reach.min() >= 1
        assert 1.1 < reach[0] < 3, "hair above the forehead"


def test_layers_are_pickled_with_their_portrait(portrait: Portrait) -> None:
    again = pickle.loads(pickle.dumps(portrait))
    np.testing.assert_array_equal(layers_of(again).head.alpha, layers_of(portrait).head.alpha)


def test_without_the_segmenter_there_are_no_layers(portrait: Portrait, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(threads: int) -> None:
        raise ModelError("parsing: expected a model, got none; install it")

    monkeypatch.setattr(preparing, "open_segmenter", missing)
    bare = portrait_of(portrait.pixels, portrait.landmarks)
    assert bare.layers is None
    assert bare.matte is not None


def test_a_face_without_a_person_around_it_has_no_layers(portrait: Portrait) -> None:
    x0, y0 = portrait.landmarks[:, :2].min(axis=0).astype(int)
    x1, y1 = portrait.landmarks[:, :2].max(axis=0).astype(int)
    pixels = np.ascontiguousarray(portrait.pixels[y0 + 8 : y1 - 8, x0 + 8 : x1 - 8])
    close = portrait_of(pixels, portrait.landmarks - (x0 + 8, y0 + 8, 0))
    assert close.matte is None
    assert close.layers is None
