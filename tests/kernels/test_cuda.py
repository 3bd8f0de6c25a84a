"""What only CUDA has: 16-bit types, batches, planes out of flow_warp, odd addresses, indices unchecked on the host.

That CUDA computes what the reference does is in the tests of each op, which run there too (see conftest).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from mien_kernels import cuda, ops, reference

ROUNDING = {"float32": 2e-6, "float16": 2**-10, "bfloat16": 2**-7}
"""Of results around 1: their rounding to the type, up to a whole unit in the last place of values just below 2."""
STATISTICS = {"float32": 2e-5, "float16": 2**-9, "bfloat16": 2**-6}
"""Of spade_modulate's results around 1, and up to 4 for the 16-bit types."""

Floats = NDArray[np.float32]
EYE = np.eye(2, 3, dtype=np.float32)
kinds = pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16"])
layouts = pytest.mark.parametrize("layout", ["nchw", "nhwc"])


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def flow_over(height: int, width: int, *out: int) -> Floats:
    reach = np.array([width + 2, height + 2], np.float32)
    return (rng().random((*out, 2), np.float32) * reach - 2).astype(np.float32)


def blank(library: Any, shape: tuple[int, ...], kind: str) -> Any:
    return library.put(np.zeros(shape, np.float32), kind)


def held(library: Any, kind: str) -> None:
    if kind not in library.kinds:
        pytest.skip(f"this library has no {kind}")


def assert_close(got: Any, expected: Any, tolerance: float) -> None:
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


@kinds
@pytest.mark.parametrize("shape", [(5, 7, 3), (4, 6, 16), (1, 1, 1)])
def test_blend_of_floats(library: Any, kind: str, shape: tuple[int, int, int]) -> None:
    held(library, kind)
    base, over, mask = (library.put(rng().random(size, np.float32), kind) for size in (shape, shape, shape[:2]))
    expected = reference.blend(library.get(base), library.get(over), library.get(mask))
    assert_close(library.get(ops.blend(base, over, mask, blank(library, shape, kind))), expected, ROUNDING[kind])


@kinds
@layouts
@pytest.mark.parametrize("channels", [1, 3, 8, 40, 128])
@pytest.mark.parametrize("padding", ["border", "zero"])
def test_flow_warp_of_batches_into_either_order(
    library: Any, kind: str, layout: Literal["nchw", "nhwc"], channels: int, padding: Literal["border", "zero"]
) -> None:
    held(library, kind)
    source = library.put(rng().random((2, 9, 8, channels), np.float32), kind)
    for rows, columns in ((6, 12), (5, 7)):
        flow = flow_over(9, 8, 2, rows, columns)
        shape = (2, rows, columns, channels) if layout == "nhwc" else (2, channels, rows, columns)
        out = blank(library, shape, kind)
        got = library.get(cuda.flow_warp(source, library.put(flow), out, padding, layout=layout))
        pairs = zip(library.get(source), flow, strict=True)
        expected = np.stack([reference.flow_warp(item, at, None, padding) for item, at in pairs])
        assert_close(got, expected if layout == "nhwc" else expected.transpose(0, 3, 1, 2), ROUNDING[kind])


@layouts
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_flow_warp_of_batches_of_pictures(library: Any, layout: Literal["nchw", "nhwc"], channels: int) -> None:
    source = rng().integers(0, 256, (3, 9, 8, channels)).astype(np.uint8)
    flow = flow_over(9, 8, 3, 5, 7)
    got = library.get(cuda.flow_warp(library.put(source), library.put(flow), layout=layout))
    expected = np.stack([reference.flow_warp(item, at) for item, at in zip(source, flow, strict=True)])
    assert (got == (expected if layout == "nhwc" else expected.transpose(0, 3, 1, 2))).all()


@kinds
@layouts
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tensors_of_every_float_type(library: Any, kind: str, layout: Literal["nchw", "nhwc"], channels: int) -> None:
    held(library, kind)
    image = rng().integers(0, 256, (12, 10, channels)).astype(np.uint8)
    shape = (channels, 12, 10) if layout == "nchw" else (12, 10, channels)
    out = library.put(np.zeros(shape, np.float32), kind)
    assert ops.to_tensor(library.put(image), EYE, out, layout=layout) is out
    assert_close(library.get(out), reference.to_tensor(image, EYE, (12, 10), layout=layout), ROUNDING[kind])
    expected = reference.to_image(library.get(out), layout=layout)
    assert (library.get(ops.to_image(out, layout=layout)) == expected).all()


@kinds
@layouts
@pytest.mark.parametrize(("batch", "channels", "side"), [(2, 3, 5), (1, 16, 16), (3, 40, 24), (1, 2, 96), (1, 8, 200)])
def test_statistics_of_every_float_type(
    library: Any, kind: str, layout: Literal["nchw", "nhwc"], batch: int, channels: int, side: int
) -> None:
    held(library, kind)
    shape = (batch, channels, side, side) if layout == "nchw" else (batch, side, side, channels)
    x, gamma, beta = (library.put(rng().normal(1, 0.5, shape), kind) for _ in range(3))
    got = library.get(ops.spade_modulate(x, gamma, beta, blank(library, shape, kind), 0.2, layout=layout))
    expected = reference.spade_modulate(library.get(x), library.get(gamma), library.get(beta), 0.2, layout=layout)
    assert_close(got, expected, STATISTICS[kind])


@layouts
@pytest.mark.parametrize("side", [8, 150])
def test_16_bit_floats_of_a_large_mean_keep_their_variance(
    library: Any, layout: Literal["nchw", "nhwc"], side: int
) -> None:
    shape = (1, 8, side, side) if layout == "nchw" else (1, side, side, 8)
    x = library.put(rng().normal(1500, 2, shape), "float16")
    nothing = library.put(np.zeros(shape, np.float32), "float16")
    got = library.get(ops.spade_modulate(x, nothing, nothing, layout=layout))
    assert got.std() == pytest.approx(1, abs=1e-3)
    expected = reference.spade_modulate(library.get(x), got * 0, got * 0, layout=layout)
    assert_close(got, expected, STATISTICS["float16"])


def test_arrays_at_odd_addresses(library: Any) -> None:
    features = rng().random((6, 8, 16), np.float32)
    flow = flow_over(6, 8, 4, 4)
    source, at = library.offset(features, "float16"), library.offset(flow)
    rounded = library.get(source)
    warped = reference.flow_warp(rounded, flow)
    assert_close(library.get(cuda.flow_warp(source, at)), warped, ROUNDING["float16"])
    assert_close(library.get(cuda.flow_warp(source, at, layout="nchw")), warped.transpose(2, 0, 1), ROUNDING["float16"])
    mask = features[..., 0].copy()
    assert_close(
        library.get(ops.blend(source, source, library.offset(mask))), reference.blend(rounded, rounded, mask),
        ROUNDING["float16"],
    )  # fmt: skip
    planes = library.offset(features[None], "float16")
    got = library.get(ops.spade_modulate(planes, planes, planes))
    assert_close(got, reference.spade_modulate(*[rounded[None]] * 3), STATISTICS["float16"])
    image = rng().integers(0, 256, (6, 8, 3)).astype(np.uint8)
    odd = library.offset(image)
    got = library.get(ops.temporal_blend(odd, library.put(image), library.offset(flow_over(6, 8, 6, 8))))
    assert (got == reference.temporal_blend(image, image, flow_over(6, 8, 6, 8))).all()


def test_indices_that_name_nothing_are_skipped(library: Any) -> None:
    target = np.array([[-9, -9, 1], [60, -9, 1], [-9, 60, 1]], np.float32)
    source = np.ascontiguousarray(target[:, :2])
    triangles = np.array([[0, 1, 3], [-1, 1, 2], [0, 1, 2]], np.int32)
    _, depth = ops.rasterize_flow(*map(library.put, (target, source, triangles)), size=(8, 8))
    assert (library.get(depth) == 1).all()
    starts, channels = np.array([0, 3, 3, 9], np.int32), np.array([5, 0, 0], np.int32)
    filled = ops.rasterize_parts(*map(library.put, (source, starts, channels)), size=(1, 8, 8))
    assert (library.get(filled) == 0).all()


def test_scratch_of_the_callers(library: Any) -> None:
    x = library.put(rng().random((1, 2, 300, 300), np.float32))
    wanted = cuda.spade_scratch(x)
    expected = library.get(ops.spade_modulate(x, x, x))
    room = library.put(np.zeros(max(wanted, 16), np.uint8))
    assert (library.get(cuda.spade_modulate(x, x, x, scratch=room)) == expected).all()
    if wanted:
        with pytest.raises(ValueError, match=f"scratch: expected {wanted} bytes or more at a multiple of 16, got 8"):
            cuda.spade_modulate(x, x, x, scratch=library.put(np.zeros(8, np.uint8)))


@pytest.mark.parametrize("shape", [(1, 40_000, 3), (40_000, 1, 3), (1, 1, 3)])
def test_long_and_thin(library: Any, shape: tuple[int, int, int]) -> None:
    image = rng().integers(0, 256, shape).astype(np.uint8)
    flow = flow_over(*shape[:2], *shape[:2])
    got = library.get(ops.flow_warp(library.put(image), library.put(flow)))
    assert (got == reference.flow_warp(image, flow)).all()
    assert math.prod(shape) == got.size
