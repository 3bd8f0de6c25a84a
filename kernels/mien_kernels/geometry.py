"""The ops on flows, meshes and outlines. `mien_kernels.ops` has them too, and says what all ops have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien_kernels import _native
from mien_kernels.checks import (
    F32,
    I32,
    expect,
    expect_apart,
    expect_below,
    expect_even,
    expect_size,
    expect_threads,
    expect_weighing,
)
from mien_kernels.device import is_elsewhere, run

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


def halve_flow(flow: Floats, out: Floats | None = None, threads: int = 1, *, stream: int | None = None) -> Floats:
    """The flow for a grid half as fine, over a source half as fine: the mean over 2 x 2 cells, in its coordinates.

    flow: (2h, 2w, 2) float32, absolute positions. out: (h, w, 2) float32, in memory of its own.
    """
    if is_elsewhere(flow):
        return run(halve_flow, stream, threads, flow, out)
    expect("flow", flow, (F32,), (None, None, 2))
    expect_even("flow", *flow.shape[:2])
    shape = (flow.shape[0] // 2, flow.shape[1] // 2, 2)
    result = np.empty(shape, F32) if out is None else out
    expect("out", result, (F32,), shape, written=True)
    expect_apart("out", result, "flow", flow)
    expect_threads(threads)
    _native.halve_flow(flow, result, threads)
    return result


def limit(values: Floats, most: Floats, threads: int = 1, *, stream: int | None = None) -> Floats:
    """min(values, most) in place; returns `values`. Both are (H, W) float32."""
    if is_elsewhere(values):
        return run(limit, stream, threads, values, most)
    expect("values", values, (F32,), (None, None), written=True)
    expect("most", most, (F32,), values.shape)
    expect_threads(threads)
    _native.limit(values, most, threads)
    return values


def rasterize_flow(
    target: Floats,
    source: Floats,
    triangles: Ints,
    out: Floats | None = None,
    depth: Floats | None = None,
    threads: int = 1,
    *,
    size: tuple[int, int] | None = None,
    stream: int | None = None,
) -> tuple[Floats, Floats]:
    """The backward flow of a mesh that moved from `source` to `target`; returns (out, depth).

    target: (V, 3) float32, x, y in output pixels and z, smaller is nearer. source: (V, 2) float32, x, y in source
    pixels. triangles: (T, 3) int32. out: (H, W, 2) float32, absolute source positions, x then y; a pixel that no
    triangle covers gets its own coordinates. depth: (H, W) float32, z of the nearest triangle (the first of equals),
    +inf where uncovered. size: (H, W), needed only without `out`. Both windings are drawn; triangles without area,
    not finite or beyond 2**21 pixels are skipped. A pixel centre on a shared edge belongs to exactly one triangle.
    """
    if is_elsewhere(target):
        return run(rasterize_flow, stream, threads, target, source, triangles, out, depth, size=size)
    expect("target", target, (F32,), (None, 3))
    expect("source", source, (F32,), (target.shape[0], 2))
    expect("triangles", triangles, (I32,), (None, 3))
    expect_below("triangles", "indices", triangles, target.shape[0])
    result = np.empty((*expect_size(size, 2), 2), F32) if out is None else out
    expect("out", result, (F32,), (None, None, 2), written=True)
    depths = np.empty(result.shape[:2], F32) if depth is None else depth
    expect("depth", depths, (F32,), result.shape[:2], written=True)
    expect_threads(threads)
    _native.rasterize_flow(target, source, triangles, result, depths, threads)
    return result, depths


def rasterize_parts(
    points: Floats,
    starts: Ints,
    channels: Ints,
    out: Floats | None = None,
    threads: int = 1,
    *,
    size: tuple[int, int, int] | None = None,
    stream: int | None = None,
) -> Floats:
    """Fill closed outlines into the channels of a parsing map, anti-aliased by covered area.

    points: (N, 2) float32, x, y in pixels. starts: (P + 1,) int32, outline i has points starts[i]..starts[i + 1] - 1.
    channels: (P,) int32, the channel of each outline. out: (C, H, W) float32 0..1; outlines of one channel are joined
    by maximum, the rest is 0. size: (C, H, W), needed only without `out`. Winding is non-zero; an outline with fewer
    than three points or one that is not finite fills nothing.
    """
    if is_elsewhere(points):
        return run(rasterize_parts, stream, threads, points, starts, channels, out, size=size)
    expect("points", points, (F32,), (None, 2))
    expect("channels", channels, (I32,), (None,))
    expect("starts", starts, (I32,), (channels.shape[0] + 1,))
    result = np.empty(expect_size(size, 3), F32) if out is None else out
    expect("out", result, (F32,), (None, None, None), written=True)
    expect_threads(threads)
    bounds = starts.tolist()
    if bounds[0] < 0 or bounds[-1] > points.shape[0] or bounds != sorted(bounds):
        raise ValueError(f"starts: expected rising values in 0..{points.shape[0]}, got {bounds}")
    expect_below("channels", "values", channels, result.shape[0])
    if result.size:
        _native.rasterize_parts(points, starts, channels, result, threads)
    return result


def spread_flow(
    rows: Floats, columns: Floats, out: Floats | None = None, threads: int = 1, *, stream: int | None = None
) -> Floats:
    """The flow that looks, at row y and column x, at (rows[y, 0] + columns[x], rows[y, 1]).

    rows: (h, 2) float32. columns: (w,) float32. out: (h, w, 2) float32, in memory of its own.
    """
    if is_elsewhere(rows):
        return run(spread_flow, stream, threads, rows, columns, out)
    expect("rows", rows, (F32,), (None, 2))
    expect("columns", columns, (F32,), (None,))
    shape = (rows.shape[0], columns.shape[0], 2)
    result = np.empty(shape, F32) if out is None else out
    expect("out", result, (F32,), shape, written=True)
    expect_apart("out", result, "rows", rows)
    expect_apart("out", result, "columns", columns)
    expect_threads(threads)
    _native.spread_flow(rows, columns, result, threads)
    return result


def weigh_flow(
    flow: Floats,
    depth: Floats,
    share: tuple[float, float],
    out: Floats | None = None,
    still: float = 0.02,
    calm: float = 1.0,
    threads: int = 1,
    *,
    stream: int | None = None,
) -> Floats:
    """How far a coarse flow between two frames is to be followed: 1 / (1 + (w / calm)^2) for a way of w pixels.

    w is the larger of the ways along x and y from a cell's own position to where the flow looks. Cells with w below
    `still`, or with infinite depth, have not moved: in `flow` they get their own position. The outermost cells weigh 0.

    flow: (h, w, 2) float32, absolute positions in the picture, changed in place. depth: (h, w) float32, as
    rasterize_flow gives it. share: cells to a pixel of the picture, along x and y. out: (h, w) float32. still, calm:
    pixels.
    """
    if is_elsewhere(flow):
        return run(weigh_flow, stream, threads, flow, depth, share, out, still, calm)
    expect("flow", flow, (F32,), (None, None, 2), written=True)
    expect("depth", depth, (F32,), flow.shape[:2])
    result = np.empty(flow.shape[:2], F32) if out is None else out
    expect("out", result, (F32,), flow.shape[:2], written=True)
    expect_weighing(share, still, calm)
    expect_threads(threads)
    _native.weigh_flow(flow, depth, result, *share, still, 1.0 / calm, threads)
    return result
