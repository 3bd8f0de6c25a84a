"""The ops on pictures, at the sizes of the frame path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien_bench.kernels.devices import Device
from mien_bench.kernels.feature_tasks import smooth_flow
from mien_bench.kernels.harness import Peers, Side, Task
from mien_bench.kernels.roofline import AFFINE_FLOPS, GREY_FLOPS, MIX_FLOPS, PLACE_FLOPS, SAMPLE_FLOPS
from mien_kernels import ops, reference

SIZE: Final = 512
CROP: Final = 256
GREY: Final = 0.51
"""Tolerance in grey levels: rounding."""
GREY_OF_CV2: Final = 1.0
"""OpenCV takes positions in 32nds of a pixel."""
UNIT: Final = 1e-4


def picture(size: int, seed: int = 0) -> NDArray[np.uint8]:
    """(size, size, 3) with structure at all scales but the finest, as photographs have."""
    y, x = np.indices((size, size), dtype=np.float32)
    waves = [np.sin(x / (9 + 5 * c) + seed) + np.cos(y / (13 + 3 * c) - x / 31) for c in range(3)]
    noise = np.random.default_rng(seed).uniform(0, 6, (size, size, 3))
    return np.asarray(np.stack(waves, axis=2) * 55 + 120 + noise, dtype=np.uint8)


def _task(
    device: Device,
    op: str,
    about: str,
    count: int,
    flops: int,
    call: Callable[[], object],
    out: Any,
    expected: Callable[[], NDArray[Any]],
    others: tuple[Side, ...] = (),
    tolerance: float = GREY,
) -> Task:
    numpy = (Side("NumPy reference", expected, expected, tolerance),) if device.name == "cpu" else ()
    ours = Side("mien", call, lambda: device.get(out), tolerance)
    return Task(op, about, device.name, count, flops, ours, (*numpy, *others), device.copies(count), expected)


def flow_warp(device: Device, peers: Peers) -> Iterator[Task]:
    """A picture through a flow of its size."""
    source, flow = picture(SIZE), smooth_flow(SIZE, SIZE)
    given, field, out = device.put(source), device.put(flow), device.put(np.zeros_like(source))
    others: tuple[Side, ...] = ()
    if device.name == "cpu" and peers.has("cv2"):
        cv2, seen = peers.cv2(), np.zeros_like(source)
        run = partial(cv2.remap, source, flow, None, cv2.INTER_LINEAR, seen, cv2.BORDER_REPLICATE)
        others = (Side("cv2.remap", run, lambda: seen, GREY_OF_CV2),)
    yield _task(
        device,
        "flow_warp",
        f"{SIZE}x{SIZE}x3 uint8",
        2 * source.size + flow.nbytes,
        SIZE * SIZE * (PLACE_FLOPS + 3 * (SAMPLE_FLOPS + GREY_FLOPS)),
        partial(ops.flow_warp, given, field, out, threads=device.threads),
        out,
        lambda: reference.flow_warp(source, flow),
        others,
    )


def add_levels(device: Device, peers: Peers) -> Iterator[Task]:
    """Grey levels on all colours, as the invisible mark does it."""
    base, levels = picture(SIZE, 1), (picture(SIZE, 5)[..., 0] // 64 + 126).astype(np.uint8)
    given, added, out = (device.put(array) for array in (base, levels, np.zeros_like(base)))
    yield _task(
        device,
        "add_levels",
        f"{SIZE}x{SIZE}x3 uint8",
        2 * base.nbytes + levels.nbytes,
        2 * base.size,
        partial(ops.add_levels, given, added, out, device.threads),
        out,
        partial(reference.add_levels, base, levels),
    )


def blend(device: Device, peers: Peers) -> Iterator[Task]:
    """Two pictures by a mask, of both types."""
    mask = (picture(SIZE, 5)[..., 0] / 255).astype(np.float32)
    for kind in ("uint8", "float32"):
        under, over = (picture(SIZE, seed).astype(kind) for seed in (1, 2))
        a, b, weight, out = (device.put(array) for array in (under, over, mask, np.zeros_like(under)))
        yield _task(
            device,
            "blend",
            f"{SIZE}x{SIZE}x3 {kind}",
            3 * under.nbytes + mask.nbytes,
            under.size * (MIX_FLOPS + (GREY_FLOPS if kind == "uint8" else 0)),
            partial(ops.blend, a, b, weight, out, device.threads),
            out,
            partial(reference.blend, under, over, mask),
        )


def temporal_blend(device: Device, peers: Peers) -> Iterator[Task]:
    """The past along a flow of its size."""
    current, previous, flow = picture(SIZE, 1), picture(SIZE, 2), smooth_flow(SIZE, SIZE)
    now, before, field, out = (device.put(array) for array in (current, previous, flow, np.zeros_like(current)))
    yield _task(
        device,
        "temporal_blend",
        f"{SIZE}x{SIZE}x3 uint8",
        3 * current.size + flow.nbytes,
        SIZE
        * SIZE
        * (PLACE_FLOPS + 10 + 3 * (SAMPLE_FLOPS + 2 + MIX_FLOPS + GREY_FLOPS)),  # 10: weight, whether inside
        partial(ops.temporal_blend, now, before, field, out, 0.5, 64.0, threads=device.threads),
        out,
        partial(reference.temporal_blend, current, previous, flow, 0.5, 64.0),
    )


def paste(device: Device, peers: Peers) -> Iterator[Task]:
    """A crop into the middle of a frame, enlarged and turned a little."""
    frame, crop = picture(SIZE, 1), picture(CROP, 2)
    matrix = np.array([[0.72, 0.05, -40], [-0.05, 0.72, -20]], np.float32)
    into, patch = device.put(frame), device.put(crop)
    yield _task(
        device,
        "paste",
        f"{CROP}x{CROP}x3 into {SIZE}x{SIZE}x3 uint8",
        crop.size + 2 * int(crop.size / 0.72**2),
        int((CROP / 0.72) ** 2) * (AFFINE_FLOPS + PLACE_FLOPS + 14 + 3 * (SAMPLE_FLOPS + 4 + MIX_FLOPS + GREY_FLOPS)),
        partial(ops.paste, into, patch, matrix, 8.0, threads=device.threads),
        into,
        partial(reference.paste, frame, crop, matrix, 8.0),
        tolerance=2.0,  # where it fades in, each further time brings the frame nearer to the crop
    )


def to_tensor(device: Device, peers: Peers) -> Iterator[Task]:
    """A crop for a network's input."""
    image = picture(SIZE)
    matrix = np.array([[1.3, 0.1, 60], [-0.1, 1.3, 70]], np.float32)
    given, out = device.put(image), device.put(np.zeros((3, CROP, CROP), np.float32))
    others: tuple[Side, ...] = ()
    if device.name == "cpu" and peers.has("cv2"):
        others = (_warp_affine(peers.cv2(), image, matrix),)
    yield _task(
        device,
        "to_tensor",
        f"3x{CROP}x{CROP} of {SIZE}x{SIZE}x3 uint8",
        int(3 * CROP * CROP * (4 + 1.3**2)),
        CROP * CROP * (AFFINE_FLOPS + PLACE_FLOPS + 3 * (SAMPLE_FLOPS + 2)),
        partial(ops.to_tensor, given, matrix, out, threads=device.threads),
        out,
        partial(reference.to_tensor, image, matrix, size=(CROP, CROP)),
        others,
        UNIT,
    )


def _warp_affine(cv2: Any, image: NDArray[np.uint8], matrix: NDArray[np.float32]) -> Side:
    crop, out = np.zeros((CROP, CROP, 3), np.uint8), np.zeros((3, CROP, CROP), np.float32)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

    def run() -> None:
        cv2.warpAffine(image, matrix, (CROP, CROP), crop, how, cv2.BORDER_REPLICATE)
        np.multiply(crop.transpose(2, 0, 1), np.float32(1 / 255), out=out)

    return Side("cv2.warpAffine, NumPy", run, lambda: out, GREY_OF_CV2 / 255)


def to_image(device: Device, peers: Peers) -> Iterator[Task]:
    """A network's output as a picture."""
    tensor = np.ascontiguousarray(picture(CROP).transpose(2, 0, 1) / np.float32(255), np.float32)
    given, out = device.put(tensor), device.put(np.zeros((CROP, CROP, 3), np.uint8))
    yield _task(
        device,
        "to_image",
        f"{CROP}x{CROP}x3 uint8",
        tensor.nbytes + tensor.size,
        tensor.size * (2 + GREY_FLOPS),
        partial(ops.to_image, given, out, threads=device.threads),
        out,
        partial(reference.to_image, tensor),
    )
