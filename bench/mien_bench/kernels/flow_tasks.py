"""The ops on flows and maps, at the sizes of a network's view and of a frame. Those in place give the same when they
are repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.plane import Grid
from mien_bench.kernels.devices import Device
from mien_bench.kernels.feature_tasks import smooth_flow
from mien_bench.kernels.harness import Peers, Side, Task
from mien_bench.kernels.picture_tasks import GREY, picture
from mien_bench.kernels.roofline import GREY_FLOPS, MIX_FLOPS
from mien_kernels import ops, reference

VIEW: Final = 256
FRAME: Final = 1024
COARSE: Final = 4
EXACT: Final = 1e-6
ERASE_FLOPS: Final = (7 * 3 + 9 + 4) // 4 + 3 + 3 * (MIX_FLOPS + GREY_FLOPS)
"""At a pixel; four share a cell's seven for each of three areas, nine to average, and four for the share."""


def _task(
    device: Device,
    op: str,
    about: str,
    sizes: tuple[int, int],
    call: Callable[[], object],
    out: Any,
    expected: Callable[[], NDArray[Any]],
    tolerance: float = EXACT,
) -> Task:
    """`sizes`: bytes and floating point operations."""
    count, flops = sizes
    numpy = (Side("NumPy reference", expected, expected, tolerance),) if device.name == "cpu" else ()
    ours = Side("mien", call, lambda: device.get(out), tolerance)
    return Task(op, about, device.name, count, flops, ours, numpy, device.copies(count), expected)


def erase(device: Device, peers: Peers) -> Iterator[Task]:
    """The inner mouth, in the network's view; nothing is stretched, and shares are 0 or 1."""
    base, flow, mouth = picture(VIEW), smooth_flow(VIEW, VIEW), np.zeros((VIEW, VIEW), np.float32)
    mouth[160:190, 100:156] = 1
    out, field, cover = (device.put(array) for array in (base, flow, mouth))
    yield _task(
        device,
        "erase",
        f"{VIEW}x{VIEW}x3 uint8",
        (2 * base.nbytes + flow.nbytes + mouth.nbytes, ERASE_FLOPS * VIEW * VIEW),
        partial(ops.erase, out, cover, field, threads=device.threads),
        out,
        partial(reference.erase, base, mouth, flow),
        GREY,
    )


def halve_flow(device: Device, peers: Peers) -> Iterator[Task]:
    """The flow of the network's view, for features half as fine."""
    flow = smooth_flow(VIEW, VIEW)
    field, out = device.put(flow), device.put(np.zeros((VIEW // 2, VIEW // 2, 2), np.float32))
    yield _task(
        device,
        "halve_flow",
        f"{VIEW}x{VIEW}",
        (flow.nbytes * 5 // 4, 5 * flow.size // 4),
        partial(ops.halve_flow, field, out, device.threads),
        out,
        partial(reference.halve_flow, flow),
        1e-4,  # positions of hundreds of pixels
    )


def limit(device: Device, peers: Peers) -> Iterator[Task]:
    """One part of a parsing map by another."""
    values, most = ((picture(VIEW, seed)[..., 0] / 255).astype(np.float32) for seed in (1, 2))
    out, bounds = device.put(values), device.put(most)
    yield _task(
        device,
        "limit",
        f"{VIEW}x{VIEW}",
        (3 * values.nbytes, values.size),
        partial(ops.limit, out, bounds, device.threads),
        out,
        partial(reference.limit, values, most),
    )


def spread_flow(device: Device, peers: Peers) -> Iterator[Task]:
    """The flow of a body over the lower half of a frame."""
    bend = np.sin(np.arange(FRAME // 2) / 40)
    rows = np.stack([3 * bend, np.arange(FRAME // 2) + bend], axis=1).astype(np.float32)
    columns = np.arange(FRAME, dtype=np.float32) * np.float32(1.01)
    down, across = device.put(rows), device.put(columns)
    out = device.put(np.zeros((len(rows), FRAME, 2), np.float32))
    yield _task(
        device,
        "spread_flow",
        f"{FRAME}x{FRAME // 2}",
        (rows.nbytes + columns.nbytes + 8 * len(rows) * FRAME, len(rows) * FRAME),
        partial(ops.spread_flow, down, across, out, device.threads),
        out,
        partial(reference.spread_flow, rows, columns),
    )


def tone(device: Device, peers: Peers) -> Iterator[Task]:
    """A picture made grey, which stays grey when it is done again."""
    base, grey = picture(VIEW), np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    out, colours = device.put(base), device.put(grey)
    yield _task(
        device,
        "tone",
        f"{VIEW}x{VIEW}x3 uint8",
        (2 * base.nbytes + grey.nbytes, 6 * VIEW * VIEW),
        partial(ops.tone, out, colours, device.threads),
        out,
        partial(reference.tone, base, grey),
        GREY,
    )


def weigh_flow(device: Device, peers: Peers) -> Iterator[Task]:
    """The coarse flow between two frames; a third of it shows nothing."""
    side = FRAME // COARSE
    grid = Grid((FRAME, FRAME), (side, side))
    share = (float(grid.share[0]), float(grid.share[1]))
    rows, columns = np.indices((side, side), dtype=np.float32)
    flow = grid.places() + (smooth_flow(side, side) - np.stack([columns, rows], axis=2))
    depth = np.where(columns < side // 3, np.float32(np.inf), np.float32(0))
    field, deep, out = device.put(flow), device.put(depth), device.put(np.zeros_like(depth))
    yield _task(
        device,
        "weigh_flow",
        f"{side}x{side} over {FRAME}x{FRAME}",
        (2 * flow.nbytes + 2 * depth.nbytes, depth.size * 15),
        partial(ops.weigh_flow, field, deep, share, out, 0.02, 1.5, device.threads),
        out,
        lambda: reference.weigh_flow(flow, depth, share, 0.02, 1.5)[1],
    )
