"""The ops on flows, meshes and outlines on CUDA. `mien_kernels.cuda` has them too, and says what all have in common."""

from __future__ import annotations

from typing import Any

from mien_kernels.checks import expect_even, expect_weighing
from mien_kernels.device import F32S, I32, expect_apart, made_size, native, place_of


def halve_flow(flow: Any, out: Any = None, *, stream: int | None = None) -> Any:
    """See ops.halve_flow."""
    place = place_of("flow", flow, stream)
    field = place.array("flow", flow, F32S, (None, None, 2))
    expect_even("flow", *field.shape[:2])
    made = (field.shape[0] // 2, field.shape[1] // 2, 2)
    result, to = place.result("out", out, "float32", made, made)
    expect_apart("out", to, "flow", field)
    native().halve_flow(field.address, to.address, made[:2], place.device, place.stream)
    return result


def limit(values: Any, most: Any, *, stream: int | None = None) -> Any:
    """See ops.limit."""
    place = place_of("values", values, stream)
    to = place.array("values", values, F32S, (None, None), written=True)
    bounds = place.array("most", most, F32S, to.shape)
    native().limit(to.address, bounds.address, to.shape[0] * to.shape[1], place.device, place.stream)
    return values


def rasterize_flow(
    target: Any,
    source: Any,
    triangles: Any,
    out: Any = None,
    depth: Any = None,
    size: tuple[int, int] | None = None,
    *,
    stream: int | None = None,
) -> tuple[Any, Any]:
    """See ops.rasterize_flow. Triangles whose indices name no vertex are skipped rather than refused."""
    place = place_of("target", target, stream)
    points = place.array("target", target, F32S, (None, 3))
    origins = place.array("source", source, F32S, (points.shape[0], 2))
    corners = place.array("triangles", triangles, I32, (None, 3))
    result, flow = place.result("out", out, "float32", (None, None, 2), (*made_size(size, out, 2), 2))
    depths, deep = place.result("depth", depth, "float32", flow.shape[:2], flow.shape[:2])
    if flow.bytes:
        native().rasterize_flow(
            points.address, origins.address, corners.address, flow.address, deep.address,
            points.shape[0], corners.shape[0], flow.shape[:2], place.device, place.stream,
        )  # fmt: skip
    return result, depths


def rasterize_parts(
    points: Any,
    starts: Any,
    channels: Any,
    out: Any = None,
    size: tuple[int, int, int] | None = None,
    *,
    stream: int | None = None,
) -> Any:
    """See ops.rasterize_parts. Outlines that name no points or no channel are skipped rather than refused."""
    place = place_of("points", points, stream)
    corners = place.array("points", points, F32S, (None, 2))
    fills = place.array("channels", channels, I32, (None,))
    first = place.array("starts", starts, I32, (fills.shape[0] + 1,))
    result, to = place.result("out", out, "float32", (None, None, None), made_size(size, out, 3))
    if to.bytes:
        native().rasterize_parts(
            corners.address, first.address, fills.address, to.address,
            corners.shape[0], fills.shape[0], to.shape, place.device, place.stream,
        )  # fmt: skip
    return result


def spread_flow(rows: Any, columns: Any, out: Any = None, *, stream: int | None = None) -> Any:
    """See ops.spread_flow."""
    place = place_of("rows", rows, stream)
    down = place.array("rows", rows, F32S, (None, 2))
    across = place.array("columns", columns, F32S, (None,))
    made = (down.shape[0], across.shape[0], 2)
    result, to = place.result("out", out, "float32", made, made)
    expect_apart("out", to, "rows", down)
    expect_apart("out", to, "columns", across)
    native().spread_flow(down.address, across.address, to.address, made[:2], place.device, place.stream)
    return result


def weigh_flow(
    flow: Any,
    depth: Any,
    share: tuple[float, float],
    out: Any = None,
    still: float = 0.02,
    calm: float = 1.0,
    *,
    stream: int | None = None,
) -> Any:
    """See ops.weigh_flow."""
    place = place_of("flow", flow, stream)
    field = place.array("flow", flow, F32S, (None, None, 2), written=True)
    size = field.shape[:2]
    deep = place.array("depth", depth, F32S, size)
    result, to = place.result("out", out, "float32", size, size)
    expect_weighing(share, still, calm)
    native().weigh_flow(
        field.address, deep.address, to.address, size, share, still, 1.0 / calm, place.device, place.stream
    )  # fmt: skip
    return result
