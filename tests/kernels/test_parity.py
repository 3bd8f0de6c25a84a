"""Sampling and blending ops against the NumPy reference, on every instruction set, over random and awkward shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien_kernels import ops, reference
from mien_kernels.eye import EyeGeometry

SAME = 0.0
"""Tolerance: none. Both sides do the same float32 operations in the same order, and the build fuses none of them."""

Rng = np.random.Generator

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
lengths = st.one_of(st.integers(1, 12), st.sampled_from([253, 254, 255, 256, 257, 258, 517]))  # around a chunk's end
short = st.integers(1, 40)
threads = st.sampled_from([1, 3])
types = st.sampled_from(["uint8", "float32"])
paddings: st.SearchStrategy[Literal["border", "zero"]] = st.sampled_from(["border", "zero"])
layouts: st.SearchStrategy[Literal["nchw", "nhwc"]] = st.sampled_from(["nchw", "nhwc"])
channel_counts = st.sampled_from([1, 2, 3, 4, 5, 17])

many = settings(max_examples=60, deadline=None)


def floats(values: Sequence[Any]) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def picture(rng: Rng, *shape: int, kind: str = "uint8") -> NDArray[Any]:
    values = rng.integers(0, 256, shape)
    return values.astype(np.uint8) if kind == "uint8" else (values / 255).astype(np.float32)


def awkward_flow(rng: Rng, height: int, width: int, over: tuple[int, int]) -> NDArray[np.float32]:
    """Positions all over a picture and beyond, some exactly on pixels and borders, some not finite."""
    flow = rng.uniform(-3, np.array([over[1], over[0]]) + 3, (height, width, 2)).astype(np.float32)
    whole = rng.random((height, width, 1)) < 0.3
    flow = np.where(whole, np.round(flow * 2) / 2, flow).astype(np.float32)
    odd = floats([np.nan, np.inf, -np.inf, 1e30, -1e30, -0.0])
    flow[rng.integers(height), rng.integers(width), rng.integers(2)] = rng.choice(odd)
    return flow


def similarity(rng: Rng, scale: float, shift: float) -> NDArray[np.float32]:
    angle = rng.uniform(-np.pi, np.pi)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, rng.uniform(-shift, shift)], [s, c, rng.uniform(-shift, shift)]], np.float32)


def assert_same(got: NDArray[Any], expected: NDArray[Any]) -> None:
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=SAME, atol=SAME)


@many
@given(rng=rngs, height=short, width=lengths, channels=st.sampled_from((3, 4)), n=threads)
def test_add_levels(isa: str, rng: Rng, height: int, width: int, channels: int, n: int) -> None:
    base, levels = picture(rng, height, width, channels), picture(rng, height, width)
    expected = reference.add_levels(base, levels)
    assert_same(ops.add_levels(base, levels, threads=n), expected)
    assert ops.add_levels(base, levels, base, threads=n) is base
    assert_same(base, expected)


@many
@given(
    rng=rngs, height=short, width=lengths, channels=channel_counts, kind=types, mask=st.sampled_from("ubf-"), n=threads
)
def test_blend(isa: str, rng: Rng, height: int, width: int, channels: int, kind: str, mask: str, n: int) -> None:
    base = picture(rng, height, width, channels, kind=kind)
    over = picture(rng, height, width, channels + (mask == "-"), kind=kind)
    weight = None if mask == "-" else picture(rng, height, width, kind="uint8" if mask == "u" else "float32")
    expected = reference.blend(base, over, weight)
    assert_same(ops.blend(base, over, weight, threads=n), expected)
    assert ops.blend(base, over, weight, base, threads=n) is base
    assert_same(base, expected)


@many
@given(
    rng=rngs, size=st.tuples(short, lengths), out=st.tuples(short, lengths), flow=st.tuples(short, lengths),
    channels=channel_counts, kind=types, padding=paddings, scaled=st.booleans(), n=threads,
)  # fmt: skip
def test_flow_warp(
    isa: str, rng: Rng, size: tuple[int, int], out: tuple[int, int], flow: tuple[int, int], channels: int, kind: str,
    padding: Literal["border", "zero"], scaled: bool, n: int,
) -> None:  # fmt: skip
    source = picture(rng, *size, channels, kind=kind)
    at = awkward_flow(rng, *(flow if scaled else out), over=size)
    with np.errstate(invalid="ignore"):  # resizing a flow that holds infinities
        expected = reference.flow_warp(source, at, out, padding)
    got = np.empty((*out, channels), source.dtype)
    assert ops.flow_warp(source, at, got, padding, n) is got
    assert_same(got, expected)
    planes = np.empty((channels, *out), source.dtype)
    assert ops.flow_warp(source, at, planes, padding, n, layout="nchw") is planes
    assert_same(planes, expected.transpose(2, 0, 1))


@many
@given(
    rng=rngs, size=st.tuples(short, lengths), flow=st.tuples(short, short), weight=st.tuples(short, short),
    channels=st.sampled_from([3, 4]), strength=st.floats(0, 1), threshold=st.floats(0.5, 300),
    kind=st.sampled_from("swo"), n=threads,
)  # fmt: skip
def test_temporal_blend(
    isa: str, rng: Rng, size: tuple[int, int], flow: tuple[int, int], weight: tuple[int, int], channels: int,
    strength: float, threshold: float, kind: str, n: int,
) -> None:  # fmt: skip
    current = picture(rng, *size, channels)
    previous = np.clip(current + rng.integers(-20, 21, current.shape), 0, 255).astype(np.uint8)
    at = awkward_flow(rng, *(flow if kind == "s" else size), over=size)
    factor = picture(rng, *weight, kind="float32") if kind != "o" else None
    with np.errstate(invalid="ignore"):
        expected = reference.temporal_blend(current, previous, at, strength, threshold, factor)
    assert_same(ops.temporal_blend(current, previous, at, None, strength, threshold, factor, n), expected)
    ops.temporal_blend(current, previous, at, current, strength, threshold, factor, n)
    assert_same(current, expected)


@many
@given(
    rng=rngs, size=st.tuples(short, lengths), crop=st.tuples(short, short), channels=st.integers(1, 4),
    scale=st.floats(0.1, 5), feather=st.sampled_from([0.0, 0.5, 3.0, 100.0]), matched=st.booleans(),
    mask_kind=st.sampled_from(["none", "full", "spots"]), n=threads,
)  # fmt: skip
def test_paste(
    isa: str, rng: Rng, size: tuple[int, int], crop: tuple[int, int], channels: int, scale: float, feather: float,
    matched: bool, mask_kind: str, n: int,
) -> None:  # fmt: skip
    frame = picture(rng, *size, channels)
    patch = picture(rng, *crop, channels)
    matrix = similarity(rng, scale, 10.0)
    gain = rng.uniform(0.5, 2, channels).astype(np.float32) if matched else None
    bias = rng.uniform(-60, 60, channels).astype(np.float32) if matched else None
    mask = None if mask_kind == "none" else picture(rng, *crop, kind="float32")
    if mask is not None and mask_kind == "spots":
        mask *= rng.random(crop) < 0.02
    opacity = rng.choice([1.0, float(rng.random())])
    expected = reference.paste(frame, patch, matrix, feather, gain, bias, mask, opacity)
    assert ops.paste(frame, patch, matrix, feather, gain, bias, mask, opacity, n) is frame
    assert_same(frame, expected)


def lid(rng: Rng, middle: float, way: float) -> NDArray[np.float32]:
    """(9, 2): a lid's rim, now and then out of order, or with a step in it."""
    x = rng.uniform(-0.5, 0.5, 9)
    x = x if rng.random() < 0.3 else np.sort(x)
    x[4] = x[3] if rng.random() < 0.3 else x[4]
    return np.asarray(np.stack([x, middle + way * rng.uniform(-0.1, 1.0, 9)], axis=1), dtype=np.float32)


@many
@given(
    rng=rngs, size=st.tuples(short, lengths), source=st.tuples(short, short), channels=st.sampled_from([3, 4]),
    width=st.floats(3, 60), hold=st.floats(0, 2), margin=st.sampled_from([0.0, 0.02, 0.3]), n=threads,
)  # fmt: skip
def test_draw_eye(
    isa: str, rng: Rng, size: tuple[int, int], source: tuple[int, int], channels: int, width: float, hold: float,
    margin: float, n: int,
) -> None:  # fmt: skip
    out, photo = picture(rng, *size, 3), picture(rng, *source, channels)
    top, left = (int(rng.integers(length)) for length in size)
    rows, columns = (int(rng.integers(n - first + 1)) for n, first in zip(size, (top, left), strict=True))
    mask = np.where(rng.random((rows, columns)) < 0.7, rng.random((rows, columns)), 0).astype(np.float32)
    to_eye, to_picture = similarity(rng, 1 / width, 0.3), similarity(rng, width, 20.0)
    looks = rng.uniform(-0.3, 0.3, (2, 2)).astype(np.float32)
    lids = np.stack([lid(rng, looks[1, 1], way) for way in (-0.3, 0.3, -0.3, 0.3)])
    radius, corner = float(rng.uniform(0.05, 0.4)), (left, top)
    geometry = EyeGeometry(corner, to_eye, to_picture, looks, lids, radius, hold, hold + 0.7, margin)
    expected = reference.draw_eye(out, photo, mask, geometry)
    assert ops.draw_eye(out, photo, mask, geometry, n) is out
    assert_same(out, expected)


@many
@given(
    rng=rngs, size=st.tuples(short, short), out=st.tuples(st.integers(1, 9), lengths), channels=st.integers(1, 4),
    scale=st.sampled_from([0.05, 0.7, 1.0, 1.99, 2.3, 3.1, 7.3]), padding=paddings, layout=layouts, n=threads,
    antialias=st.booleans(),
)  # fmt: skip
def test_to_tensor(
    isa: str, rng: Rng, size: tuple[int, int], out: tuple[int, int], channels: int, scale: float,
    padding: Literal["border", "zero"], layout: Literal["nchw", "nhwc"], n: int, antialias: bool,
) -> None:  # fmt: skip
    image = picture(rng, *size, channels)
    matrix = similarity(rng, scale, 10.0)
    expected = reference.to_tensor(image, matrix, out, 1 / 127.5, -1.0, padding, layout, antialias)
    found = ops.to_tensor(image, matrix, None, 1 / 127.5, -1.0, padding, layout, n, size=out, antialias=antialias)
    assert_same(found, expected)


@many
@given(rng=rngs, height=short, width=lengths, channels=channel_counts, layout=layouts, n=threads)
def test_to_image(
    isa: str, rng: Rng, height: int, width: int, channels: int, layout: Literal["nchw", "nhwc"], n: int
) -> None:
    shape = (channels, height, width) if layout == "nchw" else (height, width, channels)
    tensor = rng.normal(0, 1, shape).astype(np.float32)
    tensor.flat[rng.integers(tensor.size)] = rng.choice(floats([np.nan, np.inf, -np.inf, 1e38]))
    with np.errstate(over="ignore"):
        expected = reference.to_image(tensor, 127.5, 127.5, layout)
    assert_same(ops.to_image(tensor, None, 127.5, 127.5, layout, n), expected)


def test_grey_levels_survive_the_way_to_a_tensor_and_back(isa: str) -> None:
    image = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    tensor = ops.to_tensor(image, np.eye(2, 3, dtype=np.float32), size=(16, 16))
    assert_same(ops.to_image(tensor), image)


def test_a_shrunk_chessboard_is_grey(isa: str) -> None:
    rows, columns = np.indices((90, 90))
    image = (((rows + columns) % 2) * 255).astype(np.uint8)[..., None]
    matrix = np.array([[3, 0, 1], [0, 3, 1]], np.float32)
    tensor = ops.to_tensor(image, matrix, size=(30, 30))
    np.testing.assert_allclose(tensor, 0.5, atol=0.2)


def test_identity_flow_copies(isa: str) -> None:
    image = picture(np.random.default_rng(1), 37, 301, 3)
    rows, columns = np.indices(image.shape[:2], dtype=np.float32)
    flow = np.ascontiguousarray(np.stack([columns, rows], axis=2))
    assert_same(ops.flow_warp(image, flow), image)
    assert_same(ops.flow_warp(image, flow, padding="zero"), image)


def test_agreement_is_kept_and_disagreement_is_not(isa: str) -> None:
    current = np.full((4, 4, 3), 100, np.uint8)
    rows, columns = np.indices((4, 4), dtype=np.float32)
    flow = np.ascontiguousarray(np.stack([columns, rows], axis=2))
    near = ops.temporal_blend(current, current + np.uint8(8), flow, strength=1.0, threshold=16.0)
    far = ops.temporal_blend(current, current + np.uint8(16), flow, strength=1.0, threshold=16.0)
    away = ops.temporal_blend(current, current + np.uint8(8), flow + np.float32(4), strength=1.0, threshold=16.0)
    assert (near == 104).all()
    assert (far == 100).all()
    assert (away == 100).all()


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3), (0, 0, 3)])
def test_empty_pictures_give_empty_results(isa: str, shape: tuple[int, int, int]) -> None:
    empty = np.zeros(shape, np.uint8)
    flow = np.zeros((*shape[:2], 2), np.float32)
    eye = np.eye(2, 3, dtype=np.float32)
    assert ops.blend(empty, empty, flow[..., 0].copy()).shape == shape
    assert ops.flow_warp(np.zeros((4, 4, 3), np.uint8), flow).shape == shape
    assert ops.temporal_blend(empty, empty.copy(), flow).shape == shape
    assert ops.paste(empty, np.zeros((2, 2, 3), np.uint8), eye) is empty
    assert ops.paste(np.zeros((2, 2, 3), np.uint8), empty, eye).sum() == 0
    assert ops.to_image(np.zeros((3, *shape[:2]), np.float32)).shape == shape
    assert ops.to_tensor(np.zeros((4, 4, 3), np.uint8), eye, size=shape[:2]).shape == (3, *shape[:2])


@many
@given(rng=rngs, height=st.integers(1, 30), width=st.sampled_from([1, 2, 7, 64, 127, 128, 129, 150]), n=threads)
def test_erase(isa: str, rng: Rng, height: int, width: int, n: int) -> None:
    size = (2 * height, 2 * width)
    rows, columns = np.indices(size, dtype=np.float32)
    zoom = rng.choice([0.0, 0.3, 0.45, 1.0, -1.0])
    flow = np.stack([columns, rows], axis=2) * np.float32(zoom) + rng.random((*size, 2), np.float32) * np.float32(0.4)
    mouth = (rng.random(size, np.float32) * (rng.random(size) < 0.2)).astype(np.float32)
    base, flow = picture(rng, *size, 3), flow.astype(np.float32)
    other: dict[str, Any] = {"nothing": 0, "gain": 1.5, "limits": (-0.25, 0.75)}
    for options in ({}, other):
        expected = reference.erase(base, mouth, flow, **options)
        out = base.copy()
        assert ops.erase(out, mouth, flow, **options, threads=n) is out
        assert_same(out, expected)


@many
@given(rng=rngs, height=short, width=lengths, n=threads)
def test_halve_flow(isa: str, rng: Rng, height: int, width: int, n: int) -> None:
    flow = awkward_flow(rng, 2 * height, 2 * width, (2 * height, 2 * width))
    flow[~np.isfinite(flow)] = 0
    expected = reference.halve_flow(flow)
    assert_same(ops.halve_flow(flow, threads=n), expected)
    out = np.empty((height, width, 2), np.float32)
    assert ops.halve_flow(flow, out, n) is out
    assert_same(out, expected)


@many
@given(rng=rngs, height=short, width=lengths, n=threads)
def test_limit(isa: str, rng: Rng, height: int, width: int, n: int) -> None:
    values, most = rng.random((height, width), np.float32), rng.random((height, width), np.float32)
    expected = reference.limit(values, most)
    assert ops.limit(values, most, n) is values
    assert_same(values, expected)


@many
@given(rng=rngs, height=short, width=lengths, n=threads)
def test_spread_flow(isa: str, rng: Rng, height: int, width: int, n: int) -> None:
    rows, columns = rng.normal(0, 99, (height, 2)).astype(np.float32), rng.normal(0, 99, width).astype(np.float32)
    expected = reference.spread_flow(rows, columns)
    assert_same(ops.spread_flow(rows, columns, threads=n), expected)
    out = np.empty((height, width, 2), np.float32)
    assert ops.spread_flow(rows, columns, out, n) is out
    assert_same(out, expected)


@many
@given(rng=rngs, height=short, width=lengths, n=threads)
def test_tone(isa: str, rng: Rng, height: int, width: int, n: int) -> None:
    base, colours = picture(rng, height, width, 3), picture(rng, 256, 3)
    expected = reference.tone(base, colours)
    assert ops.tone(base, colours, n) is base
    assert_same(base, expected)


@many
@given(rng=rngs, height=short, width=lengths, n=threads)
def test_weigh_flow(isa: str, rng: Rng, height: int, width: int, n: int) -> None:
    share = (float(rng.uniform(0.2, 1.5)), float(rng.uniform(0.2, 1.5)))
    rows, columns = np.indices((height, width), dtype=np.float32)
    places = (np.stack([columns, rows], axis=2) + np.float32(0.5)) / floats(share) - np.float32(0.5)
    way = rng.normal(0, 3, (height, width, 2)) * (rng.random((height, width, 1)) < 0.7)
    flow = (places + way.astype(np.float32)).astype(np.float32)
    depth = np.where(rng.random((height, width)) < 0.3, np.inf, rng.random((height, width))).astype(np.float32)
    expected_flow, expected = reference.weigh_flow(flow, depth, share, 0.02, 1.5)
    out = np.empty((height, width), np.float32)
    assert ops.weigh_flow(flow, depth, share, out, 0.02, 1.5, n) is out
    assert_same(out, expected)
    assert_same(flow, expected_flow)
