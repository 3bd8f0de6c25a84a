"""The ops on CUDA: `ops` comes here with arrays that lie there, and has the words on what each op does.

Pictures, features, masks and indices are CUDA arrays; `matrix`, `gain`, `bias` and an eye's geometry stay NumPy arrays
on the host, as they travel with the launch. Float arrays may be float32, float16 or bfloat16; flows, points, and the
masks of pasting, of eyes and of temporal blending are float32. Everything is enqueued on `stream`, or else on the
stream that the library of the first array works on, and nothing waits.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mien_kernels.checks import F32, choice, erasing_span, expect, expect_even, expect_range
from mien_kernels.cuda_geometry import halve_flow as halve_flow
from mien_kernels.cuda_geometry import limit as limit
from mien_kernels.cuda_geometry import rasterize_flow as rasterize_flow
from mien_kernels.cuda_geometry import rasterize_parts as rasterize_parts
from mien_kernels.cuda_geometry import spread_flow as spread_flow
from mien_kernels.cuda_geometry import weigh_flow as weigh_flow
from mien_kernels.device import F32S, FLOATS, Place, View, empty_like, expect_apart, made_size, native, place_of
from mien_kernels.eye import EyeGeometry

Floats = NDArray[np.float32]
Padding = Literal["border", "zero"]
Layout = Literal["nchw", "nhwc"]

PIXELS = ("uint8", *FLOATS)
U8 = ("uint8",)
HARD_EDGE = 1e30
MOST_BATCH = 65535
BYTES_OF_MOMENTS = 16


def add_levels(base: Any, levels: Any, out: Any = None, *, stream: int | None = None) -> Any:
    """See ops.add_levels."""
    place = place_of("base", base, stream)
    under = place.array("base", base, U8, (None, None, None))
    height, width, channels = under.shape
    expect_range("base channels", channels, 3, 4)
    added = place.array("levels", levels, U8, (height, width))
    result, to = place.result("out", out, "uint8", under.shape, under.shape)
    if to.bytes:
        native().add_levels(
            under.address, added.address, to.address, height * width, channels, place.device, place.stream
        )
    return result


def blend(base: Any, over: Any, mask: Any = None, out: Any = None, *, stream: int | None = None) -> Any:
    """See ops.blend. A mask may have any element type."""
    place = place_of("base", base, stream)
    under = place.array("base", base, PIXELS, (None, None, None))
    height, width, channels = under.shape
    above = place.array("over", over, (under.kind,), (height, width, channels if mask is not None else channels + 1))
    weight = None if mask is None else place.array("mask", mask, PIXELS, (height, width))
    result, to = place.result("out", out, under.kind, under.shape, under.shape)
    mask_kind = under.kind if weight is None else weight.kind
    if to.bytes:
        native().blend(
            under.address, above.address, _address(weight), to.address,
            height * width, channels, under.kind, mask_kind, place.device, place.stream,
        )  # fmt: skip
    return result


def draw_eye(out: Any, picture: Any, mask: Any, geometry: EyeGeometry, *, stream: int | None = None) -> Any:
    """See ops.draw_eye."""
    place = place_of("out", out, stream)
    to = place.array("out", out, U8, (None, None, 3), written=True)
    source = place.array("picture", picture, U8, (None, None, None))
    box = place.array("mask", mask, F32S, (None, None))
    geometry.check(source.shape[2], to.shape, box.shape)
    if not box.bytes:
        return out
    _expect_pixels("picture", source)
    expect_apart("out", to, "picture", source)
    native().draw_eye(
        to.address, source.address, box.address, to.shape[:2], source.shape, box.shape, geometry.corner,
        *(array.ravel().tolist() for array in (geometry.to_eye, geometry.to_picture, geometry.looks, geometry.lids)),
        1.0 / geometry.radius, geometry.fade, 1.0 / (geometry.fade - geometry.hold), geometry.margin,
        place.device, place.stream,
    )  # fmt: skip
    return out


def erase(
    picture: Any,
    mouth: Any,
    flow: Any,
    nothing: int = 128,
    gain: float = 6.0,
    limits: tuple[float, float] = (0.12, 0.25),
    *,
    stream: int | None = None,
) -> Any:
    """See ops.erase."""
    place = place_of("picture", picture, stream)
    to = place.array("picture", picture, U8, (None, None, 3), written=True)
    size = to.shape[:2]
    cover = place.array("mouth", mouth, F32S, size)
    field = place.array("flow", flow, F32S, (*size, 2))
    expect_even("picture", *size)
    span = erasing_span(nothing, gain, limits)
    native().erase(
        to.address, cover.address, field.address, size, nothing, gain, limits[1], span, place.device, place.stream
    )  # fmt: skip
    return picture


def flow_warp(
    source: Any,
    flow: Any,
    out: Any = None,
    padding: Padding = "border",
    *,
    layout: Layout = "nhwc",
    stream: int | None = None,
) -> Any:
    """See ops.flow_warp. All three may have a batch axis in front; `layout` is that of `out`, the source is nhwc."""
    place = place_of("source", source, stream)
    batch = _batch_of(source)
    picture = place.array("source", source, PIXELS, (*batch, None, None, None))
    field = place.array("flow", flow, F32S, (*batch, None, None, 2))
    last = choice("layout", layout, "nchw", "nhwc")
    channels = picture.shape[-1]
    rows, columns = field.shape[-3:-1]
    made = (*batch, rows, columns, channels) if last else (*batch, channels, rows, columns)
    wanted = (*batch, None, None, channels) if last else (*batch, channels, None, None)
    result, to = place.result("out", out, picture.kind, wanted, made)
    zero = choice("padding", padding, "border", "zero")
    if not to.bytes:
        return result
    _expect_pixels("source", picture)
    _expect_pixels("flow", field)
    expect_apart("out", to, "source", picture)
    size = to.shape[-3:-1] if last else to.shape[-2:]
    native().flow_warp(
        picture.address, field.address, to.address, batch[0] if batch else 1,
        picture.shape[-3:], (rows, columns), size, picture.kind, zero, last, place.device, place.stream,
    )  # fmt: skip
    return result


def paste(
    frame: Any,
    crop: Any,
    matrix: Floats,
    feather: float = 0.0,
    gain: Floats | None = None,
    bias: Floats | None = None,
    mask: Any = None,
    opacity: float = 1.0,
    *,
    stream: int | None = None,
) -> Any:
    """See ops.paste."""
    place = place_of("frame", frame, stream)
    to = place.array("frame", frame, U8, (None, None, None), written=True)
    channels = to.shape[2]
    expect_range("frame channels", channels, 1, 4)
    patch = place.array("crop", crop, U8, (None, None, channels))
    expect("matrix", matrix, (F32,), (2, 3))
    expect_range("feather", feather, 0.0, 1e6)
    gains = _per_channel("gain", gain, channels, 1.0)
    biases = _per_channel("bias", bias, channels, 0.0)
    weight = None if mask is None else place.array("mask", mask, F32S, patch.shape[:2])
    expect_range("opacity", opacity, 0.0, 1.0)
    if not (to.bytes and patch.bytes):
        return frame
    expect_apart("frame", to, "crop", patch)
    native().paste(
        to.address, patch.address, _address(weight), to.shape, patch.shape[:2], matrix.ravel().tolist(),
        1.0 / feather if feather > 0.0 else HARD_EDGE, gains, biases, opacity, place.device, place.stream,
    )  # fmt: skip
    return frame


def spade_modulate(
    x: Any,
    gamma: Any,
    beta: Any,
    out: Any = None,
    slope: float = 1.0,
    epsilon: float = 1e-5,
    layout: Layout = "nchw",
    *,
    scratch: Any = None,
    stream: int | None = None,
) -> Any:
    """See ops.spade_modulate. x, gamma, beta and out have one float type; statistics are float32.

    scratch: (n,) uint8 on the same device, n at least what spade_scratch says, allocated if None.
    """
    place = place_of("x", x, stream)
    plain = place.array("x", x, FLOATS, (None, None, None, None))
    scale = place.array("gamma", gamma, (plain.kind,), plain.shape)
    shift = place.array("beta", beta, (plain.kind,), plain.shape)
    result, to = place.result("out", out, plain.kind, plain.shape, plain.shape)
    expect_range("slope", slope, -1e6, 1e6)
    expect_range("epsilon", epsilon, 1e-30, 1e30)
    last = choice("layout", layout, "nchw", "nhwc")
    if not to.bytes:
        return result
    if to.address != plain.address:
        expect_apart("out", to, "x", plain)
    expect_apart("out", to, "gamma", scale)
    expect_apart("out", to, "beta", shift)
    batch, channels, pixels = _spade_sizes(plain, last)
    count = native().spade_parts(batch, channels, pixels, plain.kind, last, place.device)
    wanted = count * batch * channels * BYTES_OF_MOMENTS
    room = empty_like("scratch", x, (wanted,), "uint8") if wanted and scratch is None else scratch
    parts = _scratch(place, room, wanted) if wanted else None
    native().spade_modulate(
        plain.address, scale.address, shift.address, to.address, _address(parts), count, batch, channels, pixels,
        epsilon, slope, plain.kind, last, place.device, place.stream,
    )  # fmt: skip
    return result


def spade_scratch(x: Any, layout: Layout = "nchw") -> int:
    """Bytes of scratch that spade_modulate wants for arrays like `x` on its device; 0 where planes fit on the chip."""
    place = place_of("x", x, 0)
    plain = place.array("x", x, FLOATS, (None, None, None, None))
    last = choice("layout", layout, "nchw", "nhwc")
    batch, channels, pixels = _spade_sizes(plain, last)
    if not plain.bytes:
        return 0
    count = int(native().spade_parts(batch, channels, pixels, plain.kind, last, place.device))
    return count * batch * channels * BYTES_OF_MOMENTS


def temporal_blend(
    current: Any,
    previous: Any,
    flow: Any,
    out: Any = None,
    strength: float = 0.5,
    threshold: float = 32.0,
    weight: Any = None,
    *,
    stream: int | None = None,
) -> Any:
    """See ops.temporal_blend."""
    place = place_of("current", current, stream)
    now = place.array("current", current, U8, (None, None, None))
    expect_range("current channels", now.shape[2], 3, 4)
    before = place.array("previous", previous, U8, now.shape)
    field = place.array("flow", flow, F32S, (None, None, 2))
    factor = None if weight is None else place.array("weight", weight, F32S, (None, None))
    result, to = place.result("out", out, "uint8", now.shape, now.shape)
    expect_range("strength", strength, 0.0, 1.0)
    expect_range("threshold", threshold, 1e-3, 1e9)
    if not to.bytes:
        return result
    _expect_pixels("flow", field)
    if factor is not None:
        _expect_pixels("weight", factor)
    expect_apart("out", to, "previous", before)
    native().temporal_blend(
        now.address, before.address, field.address, _address(factor), to.address, now.shape, field.shape[:2],
        (1, 1) if factor is None else factor.shape, strength, 1.0 / threshold, place.device, place.stream,
    )  # fmt: skip
    return result


def to_image(
    tensor: Any,
    out: Any = None,
    scale: float = 255.0,
    bias: float = 0.0,
    layout: Layout = "nchw",
    *,
    stream: int | None = None,
) -> Any:
    """See ops.to_image; the tensor may have any float type."""
    place = place_of("tensor", tensor, stream)
    values = place.array("tensor", tensor, FLOATS, (None, None, None))
    last = choice("layout", layout, "nchw", "nhwc")
    size = values.shape if last else (*values.shape[1:], values.shape[0])
    result, to = place.result("out", out, "uint8", size, size)
    if to.bytes:
        native().to_image(
            values.address, to.address, size, values.kind, scale, bias, last, place.device, place.stream
        )  # fmt: skip
    return result


def to_tensor(
    image: Any,
    matrix: Floats,
    out: Any = None,
    scale: float = 1.0 / 255.0,
    bias: float = 0.0,
    padding: Padding = "border",
    layout: Layout = "nchw",
    size: tuple[int, int] | None = None,
    antialias: bool = True,
    *,
    stream: int | None = None,
) -> Any:
    """See ops.to_tensor; `out` may have any float type, and is float32 if not given."""
    place = place_of("image", image, stream)
    picture = place.array("image", image, U8, (None, None, None))
    channels = picture.shape[2]
    expect_range("image channels", channels, 1, 4)
    expect("matrix", matrix, (F32,), (2, 3))
    last = choice("layout", layout, "nchw", "nhwc")
    if out is None:
        rows, columns = made_size(size, out, 2)
        made = (rows, columns, channels) if last else (channels, rows, columns)
        result = empty_like("out", image, made, "float32")
    else:
        result = out
    to = place.array(
        "out", result, FLOATS, (None, None, channels) if last else (channels, None, None), written=True
    )  # fmt: skip
    zero = choice("padding", padding, "border", "zero")
    if to.bytes:
        _expect_pixels("image", picture)
        native().to_tensor(
            picture.address, to.address, picture.shape, to.shape[:2] if last else to.shape[1:], to.kind,
            matrix.ravel().tolist(), scale, bias, zero, last, antialias, place.device, place.stream,
        )  # fmt: skip
    return result


def tone(picture: Any, colours: Any, *, stream: int | None = None) -> Any:
    """See ops.tone."""
    place = place_of("picture", picture, stream)
    to = place.array("picture", picture, U8, (None, None, 3), written=True)
    table = place.array("colours", colours, U8, (256, 3))
    native().tone(to.address, table.address, to.shape[0] * to.shape[1], place.device, place.stream)
    return picture


def _address(view: View | None) -> int:
    return 0 if view is None else view.address


def _expect_pixels(name: str, view: View) -> None:
    if not view.bytes:
        raise ValueError(f"{name}: expected at least one pixel to sample, got shape {view.shape}")


def _per_channel(name: str, values: Floats | None, channels: int, otherwise: float) -> list[float]:
    """Four values for the launch, whatever the number of channels is."""
    if values is not None:
        expect(name, values, (F32,), (channels,))
        return [*values.tolist(), *[otherwise] * (4 - channels)]
    return [otherwise] * 4


def _batch_of(source: Any) -> tuple[int, ...]:
    shape = tuple(source.shape)
    if len(shape) != 4:
        return ()
    expect_range("source batch", shape[0], 0, MOST_BATCH)
    return (int(shape[0]),)


def _spade_sizes(x: View, last: bool) -> tuple[int, int, int]:
    batch, *rest = x.shape
    height, width, channels = rest if last else (rest[1], rest[2], rest[0])
    if last:
        expect_range("x batch", batch, 0, MOST_BATCH)
    return batch, channels, height * width


def _scratch(place: Place, room: Any, wanted: int) -> View:
    view = place.array("scratch", room, U8, (None,), written=True)
    if view.bytes < wanted or view.address % BYTES_OF_MOMENTS:
        raise ValueError(f"scratch: expected {wanted} bytes or more at a multiple of 16, got {view.bytes}")
    return view
