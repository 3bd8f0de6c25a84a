"""The specification of every op in NumPy: obvious and slow. Same arguments as in `ops`, which has the words.

Sampling and blending are float32 in the order of operations of the native code; coverage is exact (integers for
triangles, float64 for areas).
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien_kernels.eye import EyeGeometry
from mien_kernels.ops import HARD_EDGE, Bytes, Floats, Ints, Layout, Padding, Pixels

ONE = np.float32(1)
HALF_PIXEL = np.float32(0.5)
"""From the centre of a pixel to its edge."""
ROUNDING = np.float32(0.5)
"""Added before the floor, which then rounds to the nearest."""
SUBPIXELS = 256
FARTHEST = 2.0**21
MOST_TAPS = 64


def add_levels(base: Bytes, levels: Bytes) -> Bytes:
    """See ops.add_levels."""
    out = base.copy()
    changed = base[..., :3].astype(np.int32) + levels[..., None].astype(np.int32) - 128
    out[..., :3] = np.clip(changed, 0, 255)
    return out


def blend(base: Pixels, over: Pixels, mask: Floats | Bytes | None = None) -> Pixels:
    """See ops.blend."""
    channels = base.shape[2]
    weight = over[..., channels] if mask is None else mask
    if weight.dtype == np.uint8:
        weight = weight.astype(np.float32) * (ONE / np.float32(255))
    mixed = _mix(base.astype(np.float32), over[..., :channels].astype(np.float32), weight[..., None])
    blended: Pixels = _as_type(mixed, base)
    return blended


def draw_eye(
    out: Bytes,
    picture: Bytes,
    mask: Floats,
    geometry: EyeGeometry,
) -> Bytes:
    """See ops.draw_eye; returns a new array."""
    (corner, looks, lids), margin = (geometry.corner, geometry.looks, geometry.lids), geometry.margin
    box = np.s_[corner[1] : corner[1] + mask.shape[0], corner[0] : corner[0] + mask.shape[1]]
    rows, columns = (index[box] for index in np.indices(out.shape[:2], dtype=np.float32))
    x, y = _affine(geometry.to_eye, columns, rows)
    (look_x, look_y), (own_x, own_y) = looks
    away = np.sqrt((x - look_x) * (x - look_x) + (y - look_y) * (y - look_y)) * np.float32(1.0 / geometry.radius)
    t = _clamp((np.float32(geometry.fade) - away) * np.float32(1.0 / (geometry.fade - geometry.hold)), 0.0, 1.0)
    held = t * t * (np.float32(3) - np.float32(2) * t)
    x, y = x - (look_x - own_x) * held, y - (look_y - own_y) * held
    over = y < own_y
    up = np.where(over, ONE, -ONE)
    own, lid = (np.where(over, _rim_height(a, x), _rim_height(b, x)) for a, b in (lids[:2], lids[2:]))
    have, want = np.maximum(up * (own_y - own), np.float32(0)), up * (own_y - lid)
    hidden = np.minimum(np.abs(want - have), np.float32(margin))
    shown = np.maximum(have - hidden, np.float32(0))
    share = np.where(want > shown + hidden, shown / np.maximum(want, np.float32(1e-6)), ONE)
    y = own_y - up * np.minimum(up * (own_y - y) * share, shown + (np.float32(margin) - hidden))
    drawn = _grey(_sample(picture, *_affine(geometry.to_picture, x, y), "border")[..., :3]).astype(np.float32)
    result = out.copy()
    result[box] = _grey(_mix(out[box].astype(np.float32), drawn, mask[..., None]))
    return result


def erase(
    picture: Bytes,
    mouth: Floats,
    flow: Floats,
    nothing: int = 128,
    gain: float = 6.0,
    limits: tuple[float, float] = (0.12, 0.25),
) -> Bytes:
    """See ops.erase; returns a new picture."""
    cells = flow.reshape(flow.shape[0] // 2, 2, flow.shape[1] // 2, 2, 2)
    right, down = cells[:, 0, :, 1] - cells[:, 0, :, 0], cells[:, 1, :, 0] - cells[:, 0, :, 0]
    minus = (right[..., 1] * down[..., 0]).astype(np.float64)
    area = (right[..., 0].astype(np.float64) * down[..., 1] - minus).astype(np.float32)
    wide = np.pad(area, 1, mode="edge")
    rows = wide[:-2] + wide[1:-1] + wide[2:]
    mean = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9)
    stretch = _clamp((np.float32(limits[1]) - mean) / np.float32(limits[1] - limits[0]), 0.0, 1.0)
    share = np.maximum(stretch.repeat(2, axis=0).repeat(2, axis=1), np.minimum(mouth * np.float32(gain), ONE))
    return _grey(_mix(picture.astype(np.float32), np.float32(nothing), share[..., None]))


def flow_warp(source: Pixels, flow: Floats, size: tuple[int, int] | None = None, padding: Padding = "border") -> Pixels:
    """See ops.flow_warp; `size` is that of `out`."""
    at = _resized(flow, *(size or flow.shape[:2]))
    warped: Pixels = _as_type(_sample(source, at[..., 0], at[..., 1], padding), source)
    return warped


def halve_flow(flow: Floats) -> Floats:
    """See ops.halve_flow."""
    rows = flow[::2] + flow[1::2]
    halved: Floats = (rows[:, ::2] + rows[:, 1::2]) * np.float32(0.125) - np.float32(0.25)
    return halved


def limit(values: Floats, most: Floats) -> Floats:
    """See ops.limit; returns a new array."""
    return np.minimum(values, most)


def paste(
    frame: Bytes,
    crop: Bytes,
    matrix: Floats,
    feather: float = 0.0,
    gain: Floats | None = None,
    bias: Floats | None = None,
    mask: Floats | None = None,
    opacity: float = 1.0,
) -> Bytes:
    """See ops.paste; returns a new frame."""
    rows, columns = np.indices(frame.shape[:2], dtype=np.float32)
    x, y = _affine(matrix, columns, rows)
    height, width = (np.float32(length) for length in crop.shape[:2])
    distance = np.minimum(
        np.minimum(x + HALF_PIXEL, width - HALF_PIXEL - x), np.minimum(y + HALF_PIXEL, height - HALF_PIXEL - y)
    )
    t = _clamp(distance * np.float32(1.0 / feather if feather > 0.0 else HARD_EDGE), 0.0, 1.0)
    alpha = t * t * (np.float32(3) - np.float32(2) * t)
    if mask is not None:
        alpha = alpha * _sample(mask[..., None], x, y, "border")[..., 0]
    alpha = alpha * np.float32(opacity)
    gains = np.float32(1) if gain is None else gain
    biases = np.float32(0) if bias is None else bias
    colour = _clamp(_sample(crop, x, y, "border") * gains + biases, 0.0, 255.0)
    return np.where(t[..., None] > 0, _grey(_mix(frame.astype(np.float32), colour, alpha[..., None])), frame)


def rasterize_flow(target: Floats, source: Floats, triangles: Ints, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """See ops.rasterize_flow."""
    rows, columns = np.indices(size)
    flow = np.stack([columns, rows], axis=2).astype(np.float64)
    depth = np.full(size, np.inf)
    for triangle in triangles:
        corners = target[triangle].astype(np.float64)
        if not np.isfinite(corners).all() or np.abs(corners[:, :2]).max() >= FARTHEST:
            continue
        inside, shares = coverage(corners[:, :2], size)
        z = shares @ corners[:, 2]
        nearer = inside & (z < depth)
        depth[nearer] = z[nearer]
        flow[nearer] = (shares @ source[triangle].astype(np.float64))[nearer]
    return flow.astype(np.float32), depth.astype(np.float32)


def coverage(corners: NDArray[np.float64], size: tuple[int, int]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which pixel centres of an (H, W) picture a (3, 2) triangle covers, and their barycentric coordinates (H, W, 3).

    Corners are snapped to 1/256 px; a centre on an edge is covered if the triangle lies right of the edge or, where
    the edge is level, below it.
    """
    grid = np.floor(corners * SUBPIXELS + 0.5).astype(np.int64)
    rows, columns = np.indices(size, dtype=np.int64) * SUBPIXELS
    area = int(_cross(grid[1] - grid[0], *(grid[2] - grid[0])))
    inside = np.full(size, area != 0)
    shares = np.zeros((*size, 3))
    for i in range(3):
        a, b = grid[(i + 1) % 3], grid[(i + 2) % 3]
        side = _cross(b - a, columns - a[0], rows - a[1])
        dx, dy = (b - a) * np.sign(area)
        owned = dy < 0 or (dy == 0 and dx > 0)
        inside &= side * np.sign(area) >= (0 if owned else 1)
        shares[..., i] = side / (area or 1)
    return inside, shares


def rasterize_parts(points: Floats, starts: Ints, channels: Ints, size: tuple[int, int, int]) -> Floats:
    """See ops.rasterize_parts."""
    out = np.zeros(size)
    for first, last, channel in zip(starts[:-1], starts[1:], channels, strict=True):
        outline = points[first:last].astype(np.float64) + 0.5
        if last - first > 2 and np.isfinite(outline).all():
            out[channel] = np.maximum(out[channel], np.minimum(1.0, np.abs(_winding(outline, *size[1:]))))
    return out.astype(np.float32)


def spade_modulate(
    x: Floats, gamma: Floats, beta: Floats, slope: float = 1.0, epsilon: float = 1e-5, layout: Layout = "nchw"
) -> Floats:
    """See ops.spade_modulate. In float64, which keeps the variance of any float32 values."""
    plane = (1, 2) if layout == "nhwc" else (2, 3)
    exact = x.astype(np.float64)
    centred = exact - exact.mean(axis=plane, keepdims=True)
    normalised = centred / np.sqrt((centred**2).mean(axis=plane, keepdims=True) + epsilon)
    value = (1 + gamma.astype(np.float64)) * normalised + beta
    activated: Floats = np.where(value >= 0, value, value * slope).astype(np.float32)
    return activated


def spread_flow(rows: Floats, columns: Floats) -> Floats:
    """See ops.spread_flow."""
    across = rows[:, None, 0] + columns
    return np.stack([across, np.broadcast_to(rows[:, None, 1], across.shape)], axis=2)


def temporal_blend(
    current: Bytes,
    previous: Bytes,
    flow: Floats,
    strength: float = 0.5,
    threshold: float = 32.0,
    weight: Floats | None = None,
) -> Bytes:
    """See ops.temporal_blend."""
    height, width = current.shape[:2]
    at = _resized(flow, height, width)
    x, y = at[..., 0], at[..., 1]
    factor = ONE if weight is None else _resized(weight[..., None], height, width)[..., 0]
    inside = (x >= -HALF_PIXEL) & (x <= width - HALF_PIXEL) & (y >= -HALF_PIXEL) & (y <= height - HALF_PIXEL)
    now = current.astype(np.float32)
    difference = _sample(previous, x, y, "border") - now
    agreement = np.maximum(np.float32(0), ONE - np.abs(difference).max(axis=2) * np.float32(1.0 / threshold))
    mixed = np.where(inside, np.float32(strength) * factor, np.float32(0)) * agreement
    return _grey(now + difference * mixed[..., None])


def to_image(tensor: Floats, scale: float = 255.0, bias: float = 0.0, layout: Layout = "nchw") -> Bytes:
    """See ops.to_image."""
    image = np.moveaxis(tensor, 0, 2) if layout == "nchw" else tensor
    return np.ascontiguousarray(_grey(image * np.float32(scale) + np.float32(bias)))


def to_tensor(
    image: Bytes,
    matrix: Floats,
    size: tuple[int, int],
    scale: float = 1.0 / 255.0,
    bias: float = 0.0,
    padding: Padding = "border",
    layout: Layout = "nchw",
    antialias: bool = True,
) -> Floats:
    """See ops.to_tensor."""
    rows, columns = np.indices(size, dtype=np.float32)
    stretch = max(np.hypot(matrix[0, 0], matrix[1, 0]), np.hypot(matrix[0, 1], matrix[1, 1]))
    taps = min(int(stretch / np.float32(1.5)) + 1, MOST_TAPS) if antialias and stretch > 2 else 1
    offsets = (np.arange(taps, dtype=np.float32) + HALF_PIXEL) / np.float32(taps) - HALF_PIXEL
    total = np.zeros((*size, image.shape[2]), np.float32)
    for down in offsets:
        for across in offsets:
            total += _sample(image, *_affine(matrix, columns + across, rows + down), padding)
    out = total * (ONE / np.float32(taps * taps)) * np.float32(scale) + np.float32(bias)
    return np.ascontiguousarray(np.moveaxis(out, 2, 0) if layout == "nchw" else out)


def tone(picture: Bytes, colours: Bytes) -> Bytes:
    """See ops.tone; returns a new picture."""
    toned: Bytes = colours[(picture.astype(np.int32) * (77, 150, 29)).sum(axis=2) >> 8]
    return toned


def weigh_flow(
    flow: Floats, depth: Floats, share: tuple[float, float], still: float = 0.02, calm: float = 1.0
) -> tuple[Floats, Floats]:
    """See ops.weigh_flow; returns a new flow and the weights."""
    rows, columns = np.indices(depth.shape, dtype=np.float32)
    places = (np.stack([columns, rows], axis=2) + HALF_PIXEL) / np.array(share, np.float32) - HALF_PIXEL
    way = np.abs(flow - places).max(axis=2)
    rests = (way < np.float32(still)) | np.isinf(depth)
    scaled = np.where(rests, np.float32(0), way) * np.float32(1.0 / calm)
    weight = ONE / (scaled * scaled + ONE)
    weight[0] = weight[-1] = weight[:, 0] = weight[:, -1] = 0
    return np.where(rests[..., None], places, flow), weight


def _mix(a: Any, b: Any, weight: Any) -> Any:
    return a + (b - a) * weight


def _clamp(value: Any, low: float, high: float) -> Any:
    """Like np.clip, but NaN becomes `low`."""
    raised = np.where(value > low, value, np.float32(low))
    return np.where(raised < high, raised, np.float32(high))


def _grey(value: Floats) -> Bytes:
    grey: Bytes = np.floor(_clamp(value, 0.0, 255.0) + ROUNDING).astype(np.uint8)
    return grey


def _as_type(value: Floats, like: Pixels) -> Any:
    return _grey(value) if like.dtype == np.uint8 else value


def _affine(matrix: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    (xx, xy, x0), (yx, yy, y0) = matrix
    return xx * x + (xy * y + x0), yx * x + (yy * y + y0)


def _axis(position: Floats, length: int, padding: Padding) -> tuple[NDArray[np.int64], Floats]:
    """Lower neighbour and fraction."""
    reach = (0, length - 1) if padding == "border" else (-1, length)
    near = _clamp(position, *reach)
    low = np.floor(near)
    return low.astype(np.int64), near - low


def _texels(image: NDArray[Any], y: NDArray[np.int64], x: NDArray[np.int64], padding: Padding) -> Floats:
    height, width = image.shape[:2]
    texels = image[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.float32)
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return texels if padding == "border" else np.where(inside[..., None], texels, np.float32(0))


def _sample(image: NDArray[Any], x: Floats, y: Floats, padding: Padding) -> Floats:
    left, across = _axis(x, image.shape[1], padding)
    top, down = _axis(y, image.shape[0], padding)
    upper = _mix(_texels(image, top, left, padding), _texels(image, top, left + 1, padding), across[..., None])
    lower = _mix(_texels(image, top + 1, left, padding), _texels(image, top + 1, left + 1, padding), across[..., None])
    sampled: Floats = _mix(upper, lower, down[..., None])
    return sampled


def _resized(field: Floats, height: int, width: int) -> Floats:
    """A (h, w, n) field at another size, bilinearly, rows first."""
    if field.shape[:2] == (height, width):
        return field
    top, down = _axis(_scaled(height, field.shape[0]), field.shape[0], "border")
    left, across = _axis(_scaled(width, field.shape[1]), field.shape[1], "border")
    rows = _mix(field[top], field[np.minimum(top + 1, field.shape[0] - 1)], down[:, None, None])
    right = np.minimum(left + 1, field.shape[1] - 1)
    resized: Floats = _mix(rows[:, left], rows[:, right], across[None, :, None])
    return resized


def _scaled(out_length: int, length: int) -> Floats:
    index = np.arange(out_length, dtype=np.float32)
    scaled: Floats = (index + HALF_PIXEL) * (np.float32(length) / np.float32(out_length)) - HALF_PIXEL
    return scaled


def _cross(edge: NDArray[np.int64], x: Any, y: Any) -> Any:
    return edge[0] * y - edge[1] * x


def _rim_height(rim: Floats, x: Floats) -> Floats:
    """Height over x of a line through points (N, 2)."""
    rim = rim[np.argsort(rim[:, 0], kind="stable")]
    height = np.full_like(x, rim[0, 1])
    for (ax, ay), (bx, by) in itertools.pairwise(rim):
        height = height + (by - ay) * _clamp((x - ax) * (ONE / np.maximum(bx - ax, np.float32(1e-9))), 0.0, 1.0)
    return height


def _winding(outline: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """The winding number averaged over each pixel: every edge covers what lies right of it, downwards positively."""
    winding = np.zeros((height, width))
    rows = np.arange(height)[:, None]
    edges = np.arange(1, width + 1)[None, :]
    for (ax, ay), (bx, by) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if ay == by:
            continue
        from_y, to_y = np.clip(ay, rows, rows + 1), np.clip(by, rows, rows + 1)
        slope = (bx - ax) / (by - ay)
        from_x, to_x = ax + (from_y - ay) * slope, ax + (to_y - ay) * slope
        winding += (to_y - from_y) * _mean_cover(edges - from_x, edges - to_x)
    return winding


def _mean_cover(near: NDArray[np.float64], far: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of clip(t, 0, 1) over t from `near` to `far`."""
    change = far - near
    level = np.abs(change) < 1e-9
    return np.where(level, np.clip(near, 0, 1), (_ramp(far) - _ramp(near)) / np.where(level, 1.0, change))


def _ramp(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """The integral of clip(t, 0, 1)."""
    return np.where(t < 1, np.square(np.maximum(t, 0)) / 2, t - 0.5)
