"""Protocol of a session: one loaded graph with its arrays, for every runtime."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mien.device.device import Device
from mien.manifest import TensorSpec

Buffers = Mapping[str, NDArray[Any]]
ALIGNMENT: Final = 64
"""Bytes: a cache line, and the widest vector of a CPU."""


class GraphSession(Protocol):
    """A graph that was loaded once and is run many times, by one thread at a time.

    Its arrays are allocated once, with the manifest's dtypes and shapes, and bound: the graph reads what the caller
    writes into `inputs`, and writes into `outputs`, without a copy if it runs on the CPU. Their memory order may be
    channels last, if the runtime would otherwise convert them in every run.
    """

    @property
    def backend(self) -> str:
        """The runtime, by the name of the option."""

    @property
    def precision(self) -> str:
        """Number format of its arithmetic: `fp32`, `bf16`, `fp16`, `int8` or `int8+bf16`."""

    @property
    def threads(self) -> int:
        """Processor threads that it may use."""

    @property
    def inputs(self) -> Buffers:
        """By name; to be filled in place."""

    @property
    def outputs(self) -> Buffers:
        """By name; valid until the next run."""

    def run(self) -> None:
        """Compute `outputs` from `inputs`."""

    def close(self) -> None:
        """Free the runtime's memory; the arrays stay valid."""


@runtime_checkable
class DeviceSession(GraphSession, Protocol):
    """A session on a GPU whose arrays can be filled and read there, so that none of them travels."""

    @property
    def device(self) -> Device:
        """Its GPU, in whose order it runs."""

    @property
    def device_inputs(self) -> Mapping[str, Any]:
        """By name; to be filled in place, in the order of `device`."""

    @property
    def device_outputs(self) -> Mapping[str, Any]:
        """By name; valid until the next run."""

    def enqueue(self) -> None:
        """Put a run from `device_inputs` to `device_outputs` into the order of `device`, and do not wait for it."""


def buffers(tensors: Iterable[TensorSpec], batch: int, channels_last: Collection[str] = ()) -> dict[str, NDArray[Any]]:
    """A zeroed array for each tensor, at addresses that suit vectors.

    It is contiguous; of those in `channels_last`, which have four dimensions, `nhwc_view` is.
    """
    return {tensor.name: _buffer(tensor, batch, tensor.name in channels_last) for tensor in tensors}


def is_channels_last(tensor: TensorSpec) -> bool:
    """Whether OpenVINO gets this input channels last: it is filled by a kernel that writes either order."""
    return tensor.warped or tensor.role == "face"


def nhwc_view(array: NDArray[Any]) -> NDArray[Any]:
    """An array (N, C, H, W) seen as (N, H, W, C)."""
    return array.transpose(0, 2, 3, 1)


def _buffer(tensor: TensorSpec, batch: int, channels_last: bool) -> NDArray[Any]:
    shape, dtype = tensor.sized(batch), np.dtype(tensor.dtype)
    if not channels_last:
        return _aligned(shape, dtype)
    count, channels, height, width = shape
    return _aligned((count, height, width, channels), dtype).transpose(0, 3, 1, 2)


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)
