"""The seam between the stages of a frame and the memory in which they compute.

A stage asks its device for arrays and gives them to `mien_kernels.ops`, which run where the arrays lie. On the host an
array is NumPy's, and nothing is copied. On a GPU it is a CUDA array; work is enqueued in the order of the calls, and
nothing waits but `Device.wait`. Landmarks, vertices and matrices are computed on the host: they are small, and take
less time there than a launch.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

Shape = tuple[int, ...]
Work = Callable[[], None]
BLOCK: Final = 64 * 1024
"""Bytes of a block from which a frame's small arrays are taken."""
ALIGNMENT: Final = 256
"""Bytes: what kernels and TensorRT want of addresses."""


class Device(Protocol):
    """Where a chain's arrays lie and its kernels run. One object per chain; its work is done in the order of calls."""

    @property
    def name(self) -> str:
        """`cpu`, or `cuda:N`."""
        ...

    @property
    def is_host(self) -> bool:
        """Whether its arrays are NumPy's, in the memory of the host."""
        ...

    def zeros(self, shape: Shape, dtype: DTypeLike) -> Any:
        """An array of zeros, at a multiple of `ALIGNMENT`. Its basic slices are arrays too."""
        ...

    def staging(self, shape: Shape, dtype: DTypeLike) -> NDArray[Any]:
        """An array of zeros on the host, from and into which copies run beside other work."""
        ...

    def view(self, memory: Any, shape: Shape, dtype: DTypeLike) -> Any:
        """The beginning of `memory`, (n,) uint8, as another array."""
        ...

    def upload(self, values: NDArray[Any], into: Any) -> None:
        """Enqueue a copy of `values`, a `staging` array that stays as it is until it is done, to an array here."""
        ...

    def download(self, array: Any, into: NDArray[Any]) -> None:
        """Enqueue a copy of an array here to a `staging` array, which has it after `wait`."""
        ...

    def current(self) -> AbstractContextManager[object]:
        """Within it, ops enqueue their work here."""
        ...

    def capture(self, work: Work, about: str) -> Work | None:
        """What `work` enqueues, to be enqueued again by one call; None, and a warning about it, if that cannot be."""
        ...

    def wait(self) -> None:
        """Return when all work is done."""
        ...


class HostDevice:
    """The processor: arrays are NumPy's and work is done at once."""

    name = "cpu"
    is_host = True

    def zeros(self, shape: Shape, dtype: DTypeLike) -> NDArray[Any]:
        """See Device."""
        return np.zeros(shape, dtype)

    staging = zeros

    def view(self, memory: NDArray[Any], shape: Shape, dtype: DTypeLike) -> NDArray[Any]:
        """See Device."""
        return memory[: size_of(shape, dtype)].view(dtype).reshape(shape)

    def upload(self, values: NDArray[Any], into: NDArray[Any]) -> None:
        """See Device."""
        np.copyto(into, values)

    def download(self, array: NDArray[Any], into: NDArray[Any]) -> None:
        """See Device."""
        np.copyto(into, array)

    def current(self) -> AbstractContextManager[object]:
        """See Device."""
        return nullcontext()

    def capture(self, work: Work, about: str) -> Work:
        """See Device."""
        return work

    def wait(self) -> None:
        """See Device."""


HOST: Final = HostDevice()


def size_of(shape: Shape, dtype: DTypeLike) -> int:
    """Bytes of an array."""
    return int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize


class Workspace:
    """Memory of one chain for what changes from frame to frame: small arrays brought from the host, and room for masks.

    All of it is handed out anew in each frame, in the order of the calls, from blocks that are allocated when they are
    first needed. On the host nothing is brought: arrays are given back as they are.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self._room = _Blocks(lambda count: (device.zeros((count,), np.uint8),))
        self._brought = _Blocks(lambda count: (device.zeros((count,), np.uint8), device.staging((count,), np.uint8)))

    def begin(self) -> None:
        """A new frame: what the last one was given is free again. Its work must be done."""
        self._room.begin()
        self._brought.begin()

    def put(self, values: NDArray[Any]) -> Any:
        """C-contiguous `values` of the host as an array of the device, until the next frame."""
        if self.device.is_host:
            return values
        place, staging = self._brought.take(values.nbytes)
        HOST.view(staging, values.shape, values.dtype)[...] = values
        self.device.upload(staging[: values.nbytes], place[: values.nbytes])
        return self.device.view(place, values.shape, values.dtype)

    def empty(self, shape: Shape, dtype: DTypeLike) -> Any:
        """An array of the device with any content, until the next frame."""
        if self.device.is_host:
            return np.empty(shape, dtype)
        (place,) = self._room.take(size_of(shape, dtype))
        return self.device.view(place, shape, dtype)

    def fill(self, into: Any, values: NDArray[Any]) -> None:
        """Set an array of the device to `values` of the host, of its shape and type; returns when that is done."""
        if self.device.is_host:
            into[...] = values
            return
        staging = self.device.staging(values.shape, values.dtype)
        staging[...] = values
        self.device.upload(staging, into)
        self.device.wait()

    def keep(self, values: NDArray[Any]) -> Any:
        """C-contiguous `values` of the host as an array of the device that stays as it is."""
        if self.device.is_host:
            return values
        kept = self.device.zeros(values.shape, values.dtype)
        self.fill(kept, values)
        return kept


class _Blocks:
    """Flat arrays that lie side by side, of which pieces at equal places are taken until they are used up."""

    def __init__(self, make: Callable[[int], tuple[Any, ...]]) -> None:
        """`make` gives flat uint8 arrays of a length."""
        self._make = make
        self._blocks: list[tuple[Any, ...]] = []
        self._block = self._used = 0

    def begin(self) -> None:
        self._block = self._used = 0

    def take(self, count: int) -> tuple[Any, ...]:
        """From each array the rest from a piece of `count` bytes on."""
        while self._block < len(self._blocks):
            block = self._blocks[self._block]
            if self._used + count <= block[0].shape[0]:
                start = self._used
                self._used += -(-count // ALIGNMENT) * ALIGNMENT
                return tuple(array[start:] for array in block)
            self._block, self._used = self._block + 1, 0
        self._blocks.append(self._make(max(-(-count // ALIGNMENT) * ALIGNMENT, BLOCK)))
        return self.take(count)


ON_HOST: Final = Workspace(HOST)
"""For callers whose arrays are NumPy's."""
