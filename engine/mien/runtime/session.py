"""One running graph, whichever runtime runs it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.manifest import TensorSpec

Buffers = Mapping[str, NDArray[Any]]
ALIGNMENT: Final = 64
"""Bytes: a cache line, and the widest vector of a CPU."""


class Session(Protocol):
    """A graph that was loaded once and is run many times, by one thread at a time.

    Its arrays are made once, of the manifest's dtypes and shapes, and bound: what the caller writes into `inputs` is
    what the graph reads, and `outputs` are where it writes, without a copy in between where the graph runs on the CPU.
    In memory their channels may come last, where the runtime would else turn them round in every run.
    """

    @property
    def backend(self) -> str:
        """Which runtime, as the user names it."""

    @property
    def precision(self) -> str:
        """In which numbers it computes: `fp32`, `bf16`, `fp16`, `int8` or `int8+bf16`."""

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
        """Let go of the runtime's memory; the arrays stay."""


def buffers(tensors: Iterable[TensorSpec], batch: int, channels_last: Collection[str] = ()) -> dict[str, NDArray[Any]]:
    """A zeroed array for each tensor, at addresses that suit vectors.

    It is contiguous; of those in `channels_last`, which have four dimensions, `nhwc_view` is.
    """
    return {tensor.name: _buffer(tensor, batch, tensor.name in channels_last) for tensor in tensors}


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
