"""The ops on features: `spade_modulate`, and `flow_warp` of many channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien_bench.kernels.devices import Device
from mien_bench.kernels.harness import Peers, Side, Task, grid_of, onnx_grid_sample, torch_sides
from mien_bench.kernels.roofline import PLACE_FLOPS, SAMPLE_FLOPS
from mien_kernels import ops, reference

BYTES: Final = {"float32": 4, "float16": 2, "bfloat16": 2}
TOLERANCE: Final = {"float32": 1e-5, "float16": 1e-3, "bfloat16": 1e-2}
"""Mean absolute difference of values around 1: rounding of results to the type."""
SLOPE: Final = 0.2
EPSILON: Final = 1e-5

SPADE_FLOPS: Final = 4 + 8
"""An element's share of the statistics, and its modulation."""

SPADE_SHAPES: Final = {"cpu": ((1, 64, 256, 256), (1, 128, 128, 128), (8, 128, 64, 64))}
SPADE_ON_CUDA: Final = ((8, 128, 256, 256), (1, 64, 256, 256), (8, 128, 64, 64))
WARP_SHAPES: Final = {"cpu": ((1, 64, 64, 128), (1, 128, 128, 64), (1, 32, 32, 192))}
WARP_ON_CUDA: Final = ((8, 256, 256, 128), (1, 256, 256, 64), (1, 64, 64, 128))


def spade_modulate(device: Device, peers: Peers) -> Iterator[Task]:
    """Both memory orders of every type."""
    for shape in SPADE_SHAPES.get(device.name, SPADE_ON_CUDA):
        for kind in device.kinds:
            for layout in ("nchw", "nhwc"):
                yield _spade(device, peers, shape, kind, layout)


def _spade(
    device: Device, peers: Peers, shape: tuple[int, int, int, int], kind: str, layout: Literal["nchw", "nhwc"]
) -> Task:
    last = layout == "nhwc"
    n, c, h, w = shape
    stored = (n, h, w, c) if last else shape
    rng = np.random.default_rng(0)
    x, gamma, beta = (device.put(rng.standard_normal(stored, np.float32), kind) for _ in range(3))
    out = device.put(np.zeros(stored, np.float32), kind)
    tolerance = TOLERANCE[kind]
    call = partial(ops.spade_modulate, x, gamma, beta, out, SLOPE, EPSILON, layout, device.threads)

    def expected() -> Any:
        return reference.spade_modulate(device.get(x), device.get(gamma), device.get(beta), SLOPE, EPSILON, layout)

    others = [Side("NumPy reference", expected, expected, tolerance)] if device.name == "cpu" else []
    if peers.has("torch"):
        result = device.put(np.zeros(stored, np.float32), kind)
        tensors = [device.tensor(array) for array in (x, gamma, beta, result)]
        seen = [tensor.permute(0, 3, 1, 2) if last else tensor for tensor in tensors]
        names = ("torch instance_norm", "torch.compile instance_norm")
        for name, run in torch_sides(peers, names, _spade_in(peers.torch()), *seen):
            others.append(Side(name, run, partial(device.get, result), 10 * tolerance))
    total = 4 * BYTES[kind] * n * c * h * w
    return Task(
        op="spade_modulate",
        about=f"{'x'.join(map(str, shape))} {layout} {kind}",
        device=device.name,
        bytes=total,
        flops=SPADE_FLOPS * n * c * h * w,
        ours=Side("mien", call, lambda: device.get(out), tolerance),
        peers=tuple(others),
        copies=device.copies(total),
        expected=expected,
    )


def _spade_in(torch: Any) -> Callable[[Any, Any, Any, Any], None]:
    normalised, maximum = torch.nn.functional.instance_norm, torch.maximum

    def modulate(x: Any, gamma: Any, beta: Any, out: Any) -> None:
        value = normalised(x, eps=EPSILON) * (1 + gamma) + beta
        maximum(value, value * SLOPE, out=out)

    return modulate


def flow_warp(device: Device, peers: Peers) -> Iterator[Task]:
    """Channels-last features, at the size of the flow."""
    for shape in WARP_SHAPES.get(device.name, WARP_ON_CUDA):
        for kind in device.kinds:
            yield _warp(device, peers, shape, kind)


def smooth_flow(height: int, width: int) -> NDArray[np.float32]:
    """(h, w, 2): a backward flow that turns and shifts a little."""
    y, x = np.indices((height, width), dtype=np.float32)
    bent = [x + 2.3 * np.sin(y / 17) + 0.04 * (y - height / 2), y + 1.7 * np.cos(x / 23) - 0.04 * (x - width / 2)]
    return np.asarray(np.stack(bent, axis=2), dtype=np.float32)


def _warp(device: Device, peers: Peers, shape: tuple[int, int, int, int], kind: str) -> Task:
    batch, h, w, c = shape
    picture = (h, w, c) if batch == 1 else shape
    values = np.random.default_rng(0).standard_normal(picture, np.float32)
    field = smooth_flow(h, w)
    source, flow = device.put(values, kind), device.put(field if batch == 1 else np.stack([field] * batch))
    out = device.put(np.zeros(picture, np.float32), kind)
    call = partial(ops.flow_warp, source, flow, out, threads=device.threads)

    def expected() -> Any:
        pictures = device.get(source).reshape(shape)
        return np.stack([reference.flow_warp(part, field) for part in pictures]).reshape(picture)

    others = [Side("NumPy reference", expected, expected)] if device.name == "cpu" else []
    grid = np.concatenate([grid_of(field, h, w)] * batch)
    if device.name == "cpu" and peers.has("onnx", "onnxruntime"):
        others.append(onnx_grid_sample(np.ascontiguousarray(values.transpose(2, 0, 1)[None]), grid, peers.threads))
    if peers.has("torch"):
        others += _grid_samples(device, peers, source, grid, shape, TOLERANCE[kind])
    total = 2 * BYTES[kind] * batch * h * w * c + 8 * batch * h * w
    return Task(
        op="flow_warp",
        about=f"{'x'.join(map(str, picture))} {kind}",
        device=device.name,
        bytes=total,
        flops=batch * h * w * (PLACE_FLOPS + c * SAMPLE_FLOPS),
        ours=Side("mien", call, lambda: device.get(out), TOLERANCE[kind]),
        peers=tuple(others),
        copies=device.copies(total),
        expected=expected,
    )


def _grid_samples(
    device: Device, peers: Peers, source: Any, grid: NDArray[np.float32], shape: tuple[int, ...], tolerance: float
) -> list[Side]:
    """torch's grid_sample, which has no memory to write into, from both memory orders."""
    sample = peers.torch().nn.functional.grid_sample
    last = device.tensor(source).reshape(shape).permute(0, 3, 1, 2)
    at = device.tensor(device.put(grid)).to(last.dtype)
    sides = []
    for name, given in (("torch grid_sample", last.contiguous()), ("torch grid_sample channels_last", last)):
        call = partial(sample, given, at, padding_mode="border", align_corners=True)
        loose = 100 * tolerance if at.dtype.itemsize == 2 else 10 * tolerance  # its positions have 16 bits too
        sides.append(Side(name, call, partial(_stored, device, call, source), loose))
    return sides


def _stored(device: Device, call: Any, source: Any) -> NDArray[Any]:
    values: NDArray[Any] = device.get(call().permute(0, 2, 3, 1).reshape(source.shape).contiguous().clone())
    return values
