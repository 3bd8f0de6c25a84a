"""The ops: arguments are checked, outputs allocated where none is given, and the native loops run without the GIL.

All arrays are C-contiguous. NumPy arrays are worked on here, on the host; arrays on CUDA (CuPy, torch, PyCUDA and
others) in `mien_kernels.cuda`, on `stream`, a cudaStream_t, or on the current stream of their library. Pixel centres
have integer coordinates: pixel (0, 0) covers -0.5..0.5. Flows are backward and absolute: at each output pixel the
(x, y) of the source to look at. `threads` counts the caller. Wrong arguments raise TypeError (no array, element type)
or ValueError (shape, memory order, range).
"""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien_kernels import _native
from mien_kernels.checks import (
    F32,
    PIXELS,
    U8,
    choice,
    erasing_span,
    expect,
    expect_apart,
    expect_even,
    expect_pixels,
    expect_range,
    expect_size,
    expect_threads,
)
from mien_kernels.device import is_elsewhere, run
from mien_kernels.eye import EyeGeometry
from mien_kernels.geometry import halve_flow as halve_flow
from mien_kernels.geometry import limit as limit
from mien_kernels.geometry import rasterize_flow as rasterize_flow
from mien_kernels.geometry import rasterize_parts as rasterize_parts
from mien_kernels.geometry import spread_flow as spread_flow
from mien_kernels.geometry import weigh_flow as weigh_flow

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Pixels = TypeVar("Pixels", Bytes, Floats)
Padding = Literal["border", "zero"]
Layout = Literal["nchw", "nhwc"]

HARD_EDGE = 1e30
"""Stands for 1 / 0 px of feather: any distance inside of the border gives full weight."""


def add_levels(
    base: Bytes, levels: Bytes, out: Bytes | None = None, threads: int = 1, *, stream: int | None = None
) -> Bytes:
    """base + levels - 128 in each colour, clipped.

    base: (H, W, 3) uint8, or (H, W, 4) with an alpha, which stays. levels: (H, W) uint8; 128 adds nothing. out: like
    base, and may be base.
    """
    if is_elsewhere(base):
        return run(add_levels, stream, threads, base, levels, out)
    expect("base", base, (U8,), (None, None, None))
    height, width, channels = base.shape
    expect_range("base channels", channels, 3, 4)
    expect("levels", levels, (U8,), (height, width))
    result = np.empty_like(base) if out is None else out
    expect("out", result, (U8,), (height, width, channels), written=True)
    expect_threads(threads)
    _native.add_levels(base, levels, result, threads)
    return result


def blend(
    base: Pixels,
    over: Pixels,
    mask: Floats | Bytes | None = None,
    out: Pixels | None = None,
    threads: int = 1,
    *,
    stream: int | None = None,
) -> Pixels:
    """base + (over - base) * mask.

    base: (H, W, C) uint8 or float32. over: (H, W, C), same type; without `mask` it is (H, W, C + 1) and its last
    channel is the mask (straight alpha, 0..255 for uint8, 0..1 for float32). mask: (H, W), float32 0..1 or uint8
    0..255. out: like base, and may be base. uint8 results are rounded to nearest.
    """
    if is_elsewhere(base):
        return run(blend, stream, threads, base, over, mask, out)
    expect("base", base, PIXELS, (None, None, None))
    height, width, channels = base.shape
    kind = (base.dtype,)
    expect("over", over, kind, (height, width, channels if mask is not None else channels + 1))
    if mask is not None:
        expect("mask", mask, PIXELS, (height, width))
    result = np.empty_like(base) if out is None else out
    expect("out", result, kind, (height, width, channels), written=True)
    expect_threads(threads)
    _native.blend(base, over, mask, result, threads)
    return result


def draw_eye(
    out: Bytes,
    picture: Bytes,
    mask: Floats,
    geometry: EyeGeometry,
    threads: int = 1,
    *,
    stream: int | None = None,
) -> Bytes:
    """Draw the eye of `picture` between the lids of a target into `out` in place; returns `out`.

    The iris is moved to where the target looks and takes its surroundings along. The lids uncover what lies still; only
    where the target's stand wider than the picture's is the eye drawn in to them.

    out: (H, W, 3) uint8. picture: (h, w, C) uint8, C 3 or 4; a fourth channel is not looked at. mask: (rows, columns)
    float32 0..1, how much of each pixel lies between the target's lids, of the box of `out` that begins at the
    geometry's corner.
    """
    if is_elsewhere(out):
        return run(draw_eye, stream, threads, out, picture, mask, geometry)
    expect("out", out, (U8,), (None, None, 3), written=True)
    expect("picture", picture, (U8,), (None, None, None))
    expect("mask", mask, (F32,), (None, None))
    geometry.check(picture.shape[2], out.shape, mask.shape)
    expect_threads(threads)
    if mask.size:
        expect_pixels("picture", picture)
        expect_apart("out", out, "picture", picture)
        _native.draw_eye(
            out, picture, mask, *geometry.corner, geometry.to_eye, geometry.to_picture, geometry.looks, geometry.lids,
            1.0 / geometry.radius, geometry.fade, 1.0 / (geometry.fade - geometry.hold), geometry.margin, threads,
        )  # fmt: skip
    return out


def erase(
    picture: Bytes,
    mouth: Floats,
    flow: Floats,
    nothing: int = 128,
    gain: float = 6.0,
    limits: tuple[float, float] = (0.12, 0.25),
    threads: int = 1,
    *,
    stream: int | None = None,
) -> Bytes:
    """Replace in place, in `picture`, what a warp cannot show by one grey; returns `picture`.

    That is min(1, gain * mouth) of a pixel, and where the flow stretches: with a the area that a pixel has in the
    source (the determinant of the flow's derivative at each cell of 2 x 2 pixels, averaged over 3 x 3 cells, those at
    the border repeated), all from `limits[0]` down and nothing from `limits[1]` up. The greater share counts.

    picture: (H, W, 3) uint8, H and W even. mouth: (H, W) float32 0..1. flow: (H, W, 2) float32, absolute positions.
    nothing: the grey, 0..255. gain: 0 or more. limits: source pixels per pixel, the second one greater.
    """
    if is_elsewhere(picture):
        return run(erase, stream, threads, picture, mouth, flow, nothing, gain, limits)
    expect("picture", picture, (U8,), (None, None, 3), written=True)
    height, width = picture.shape[:2]
    expect("mouth", mouth, (F32,), (height, width))
    expect("flow", flow, (F32,), (height, width, 2))
    expect_even("picture", height, width)
    span = erasing_span(nothing, gain, limits)
    expect_threads(threads)
    _native.erase(picture, mouth, flow, float(nothing), gain, limits[1], span, threads)
    return picture


def flow_warp(
    source: Pixels,
    flow: Floats,
    out: Pixels | None = None,
    padding: Padding = "border",
    threads: int = 1,
    *,
    layout: Layout = "nhwc",
    stream: int | None = None,
) -> Pixels:
    """`source` seen through `flow`, bilinearly.

    source: (H, W, C) uint8 or float32. flow: (h, w, 2) float32, where to look in the source, x then y, in pixels.
    out: (oh, ow, C), or (C, oh, ow) with layout "nchw"; type of source; of the flow's size if not given. Where its
    size is not the flow's, the flow is resized bilinearly on the fly. padding: what lies outside of the source: its
    border repeated, or zero.
    """
    if is_elsewhere(source):
        return run(flow_warp, stream, threads, source, flow, out, padding, layout=layout)
    expect("source", source, PIXELS, (None, None, None))
    expect("flow", flow, (F32,), (None, None, 2))
    channels = source.shape[2]
    last = choice("layout", layout, "nchw", "nhwc")
    made = (*flow.shape[:2], channels) if last else (channels, *flow.shape[:2])
    result = np.empty(made, source.dtype) if out is None else out
    wanted = (None, None, channels) if last else (channels, None, None)
    expect("out", result, (source.dtype,), wanted, written=True)
    zero = choice("padding", padding, "border", "zero")
    expect_threads(threads)
    if result.size == 0:
        return result
    expect_pixels("source", source)
    expect_pixels("flow", flow)
    expect_apart("out", result, "source", source)
    _native.flow_warp(source, flow, result, zero, last, threads)
    return result


def paste(
    frame: Bytes,
    crop: Bytes,
    matrix: Floats,
    feather: float = 0.0,
    gain: Floats | None = None,
    bias: Floats | None = None,
    mask: Floats | None = None,
    opacity: float = 1.0,
    threads: int = 1,
    *,
    stream: int | None = None,
) -> Bytes:
    """Resample `crop` into `frame` in place; returns `frame`. Pixels that the crop does not reach stay untouched.

    frame: (H, W, C) uint8, C 1..4. crop: (h, w, C) uint8. matrix: (2, 3) float32, frame pixel -> crop pixel. feather:
    crop pixels from the crop's border inwards over which it fades in (smoothstep). gain, bias: (C,) float32, colour
    becomes gain * value + bias, clipped (1 and 0 if not given). mask: (h, w) float32 0..1, a further factor, as is
    opacity, 0..1.
    """
    if is_elsewhere(frame):
        return run(paste, stream, threads, frame, crop, matrix, feather, gain, bias, mask, opacity)
    expect("frame", frame, (U8,), (None, None, None), written=True)
    channels = frame.shape[2]
    expect_range("frame channels", channels, 1, 4)
    expect("crop", crop, (U8,), (None, None, channels))
    expect("matrix", matrix, (F32,), (2, 3))
    expect_range("feather", feather, 0.0, 1e6)
    gains = np.ones(channels, F32) if gain is None else gain
    biases = np.zeros(channels, F32) if bias is None else bias
    expect("gain", gains, (F32,), (channels,))
    expect("bias", biases, (F32,), (channels,))
    if mask is not None:
        expect("mask", mask, (F32,), crop.shape[:2])
    expect_range("opacity", opacity, 0.0, 1.0)
    expect_threads(threads)
    if crop.size and frame.size:
        expect_apart("frame", frame, "crop", crop)
        hardness = 1.0 / feather if feather > 0.0 else HARD_EDGE
        _native.paste(frame, crop, matrix, hardness, gains, biases, mask, opacity, threads)
    return frame


def spade_modulate(
    x: Floats,
    gamma: Floats,
    beta: Floats,
    out: Floats | None = None,
    slope: float = 1.0,
    epsilon: float = 1e-5,
    layout: Layout = "nchw",
    threads: int = 1,
    *,
    stream: int | None = None,
) -> Floats:
    """act((1 + gamma) * (x - mean) / sqrt(variance + epsilon) + beta), act(v) = v where v >= 0, slope * v elsewhere.

    x: (N, C, H, W) float32, or (N, H, W, C) with layout "nhwc". Mean and (biased) variance are taken over H and W, for
    every instance and channel. gamma, beta: like x, a value for every pixel. out: like x, and may be x, but must not
    overlap gamma or beta. slope: 1 no activation, 0 ReLU. epsilon: above 0.
    """
    if is_elsewhere(x):
        return run(spade_modulate, stream, threads, x, gamma, beta, out, slope, epsilon, layout)
    expect("x", x, (F32,), (None, None, None, None))
    expect("gamma", gamma, (F32,), x.shape)
    expect("beta", beta, (F32,), x.shape)
    result = np.empty_like(x) if out is None else out
    expect("out", result, (F32,), x.shape, written=True)
    expect_range("slope", slope, -1e6, 1e6)
    expect_range("epsilon", epsilon, 1e-30, 1e30)
    last = choice("layout", layout, "nchw", "nhwc")
    expect_threads(threads)
    if result.size == 0:
        return result
    if result.ctypes.data != x.ctypes.data:
        expect_apart("out", result, "x", x)
    expect_apart("out", result, "gamma", gamma)
    expect_apart("out", result, "beta", beta)
    _native.spade_modulate(x, gamma, beta, result, epsilon, slope, last, threads)
    return result


def temporal_blend(
    current: Bytes,
    previous: Bytes,
    flow: Floats,
    out: Bytes | None = None,
    strength: float = 0.5,
    threshold: float = 32.0,
    weight: Floats | None = None,
    threads: int = 1,
    *,
    stream: int | None = None,
) -> Bytes:
    """Mix the previous output, carried to now by `flow`, into the current one where the two agree.

    current, previous: (H, W, C) uint8, C 3 or 4. flow: (h, w, 2) float32, absolute pixels of `previous`, resized on
    the fly as in flow_warp. With d the largest channel difference in grey levels, the previous picture weighs strength
    * max(0, 1 - d / threshold), times weight ((fh, fw) float32, resized alike) where given; 0 where the flow leaves the
    picture. out: like current, may be current but not previous. strength: 0..1. threshold: grey levels, above 0.
    """
    if is_elsewhere(current):
        return run(
            temporal_blend,
            stream,
            threads,
            current,
            previous,
            flow,
            out,
            strength,
            threshold,
            weight,
        )
    expect("current", current, (U8,), (None, None, None))
    expect_range("current channels", current.shape[2], 3, 4)
    expect("previous", previous, (U8,), current.shape)
    expect("flow", flow, (F32,), (None, None, 2))
    if weight is not None:
        expect("weight", weight, (F32,), (None, None))
    result = np.empty_like(current) if out is None else out
    expect("out", result, (U8,), current.shape, written=True)
    expect_range("strength", strength, 0.0, 1.0)
    expect_range("threshold", threshold, 1e-3, 1e9)
    expect_threads(threads)
    if result.size == 0:
        return result
    expect_pixels("flow", flow)
    if weight is not None:
        expect_pixels("weight", weight)
    expect_apart("out", result, "previous", previous)
    _native.temporal_blend(current, previous, flow, weight, result, strength, 1.0 / threshold, threads)
    return result


def to_image(
    tensor: Floats,
    out: Bytes | None = None,
    scale: float = 255.0,
    bias: float = 0.0,
    layout: Layout = "nchw",
    threads: int = 1,
    *,
    stream: int | None = None,
) -> Bytes:
    """A tensor as a picture: value * scale + bias, rounded to nearest and clipped to 0..255.

    tensor: (C, h, w) float32, or (h, w, C) with layout "nhwc". out: (h, w, C) uint8.
    """
    if is_elsewhere(tensor):
        return run(to_image, stream, threads, tensor, out, scale, bias, layout)
    expect("tensor", tensor, (F32,), (None, None, None))
    last = choice("layout", layout, "nchw", "nhwc")
    channels, height, width = (tensor.shape[2], *tensor.shape[:2]) if last else tensor.shape
    result = np.empty((height, width, channels), U8) if out is None else out
    expect("out", result, (U8,), (height, width, channels), written=True)
    expect_threads(threads)
    _native.to_image(tensor, result, scale, bias, last, threads)
    return result


def to_tensor(
    image: Bytes,
    matrix: Floats,
    out: Floats | None = None,
    scale: float = 1.0 / 255.0,
    bias: float = 0.0,
    padding: Padding = "border",
    layout: Layout = "nchw",
    threads: int = 1,
    *,
    size: tuple[int, int] | None = None,
    antialias: bool = True,
    stream: int | None = None,
) -> Floats:
    """An affine crop of `image`, resized and scaled into a network's input: value * scale + bias.

    image: (H, W, C) uint8, C 1..4. matrix: (2, 3) float32, out pixel -> image pixel. out: (C, h, w) float32, or
    (h, w, C) with layout "nhwc". size: (h, w), needed only without `out`. Sampling is bilinear; where the crop shrinks
    by more than 2, each pixel is the mean of a box of samples at most 1.5 image pixels apart, unless `antialias` is
    False: then it is one sample, as networks want it that were trained so. padding as in flow_warp.
    """
    if is_elsewhere(image):
        return run(
            to_tensor, stream, threads, image, matrix, out, scale, bias, padding, layout, size=size, antialias=antialias
        )
    expect("image", image, (U8,), (None, None, None))
    channels = image.shape[2]
    expect_range("image channels", channels, 1, 4)
    expect("matrix", matrix, (F32,), (2, 3))
    last = choice("layout", layout, "nchw", "nhwc")
    result = np.empty(_tensor_shape(size, channels, last), F32) if out is None else out
    expect("out", result, (F32,), (None, None, channels) if last else (channels, None, None), written=True)
    zero = choice("padding", padding, "border", "zero")
    expect_threads(threads)
    if result.size:
        expect_pixels("image", image)
        _native.to_tensor(image, matrix, result, scale, bias, zero, last, antialias, threads)
    return result


def tone(picture: Bytes, colours: Bytes, threads: int = 1, *, stream: int | None = None) -> Bytes:
    """Replace each colour in place by the one of its brightness, (77 r + 150 g + 29 b) / 256; returns `picture`.

    picture: (H, W, 3) uint8. colours: (256, 3) uint8, by brightness.
    """
    if is_elsewhere(picture):
        return run(tone, stream, threads, picture, colours)
    expect("picture", picture, (U8,), (None, None, 3), written=True)
    expect("colours", colours, (U8,), (256, 3))
    expect_threads(threads)
    _native.tone(picture, colours, threads)
    return picture


def _tensor_shape(size: tuple[int, int] | None, channels: int, last: bool) -> tuple[int, ...]:
    lengths = expect_size(size, 2)
    return (*lengths, channels) if last else (channels, *lengths)
