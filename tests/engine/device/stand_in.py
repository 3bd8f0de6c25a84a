"""A device that is none: its memory is the host's, its kernels are those of CUDA compiled for the host.

All work waits, as on a GPU, until `wait` is called: what is read too early, or overwritten too early, is found wrong.
Bytes, allocations and launches are counted.
"""

from __future__ import annotations

import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray
from tests.kernels.on_host import Lent, built_on_host, missing

from mien.device.device import ALIGNMENT, HOST, Shape, Work, size_of
from mien.runtime.session import Buffers, GraphSession
from mien_kernels import device as kernels

AT_ONCE = ("spade_parts", "looked_at", "device_count")
"""Of the compiled module, what asks and enqueues nothing."""


@dataclass
class Counts:
    """What was asked of the device."""

    uploaded: int = 0
    """Bytes."""
    downloaded: int = 0
    """Bytes."""
    allocations: int = 0
    waits: int = 0
    launches: Counter[str] = field(default_factory=Counter)


class StandInDevice:
    """See `mien.device.device.Device`."""

    name = "cuda:0"
    is_host = False

    def __init__(self) -> None:
        self.counts = Counts()
        self._work: list[Callable[[], object]] = []

    def zeros(self, shape: Shape, dtype: DTypeLike) -> Lent:
        self.counts.allocations += 1
        memory = np.zeros(size_of(shape, dtype) + ALIGNMENT, np.uint8)
        return Lent(HOST.view(memory[-memory.ctypes.data % ALIGNMENT :], shape, dtype))

    def staging(self, shape: Shape, dtype: DTypeLike) -> NDArray[Any]:
        self.counts.allocations += 1
        return np.zeros(shape, dtype)

    def view(self, memory: Lent, shape: Shape, dtype: DTypeLike) -> Lent:
        return Lent(HOST.view(memory.array, shape, dtype))

    def upload(self, values: NDArray[Any], into: Lent) -> None:
        assert (values.shape, values.dtype) == (into.shape, into.dtype)
        self.counts.uploaded += values.nbytes
        self.do(lambda: np.copyto(into.array, values))

    def download(self, array: Lent, into: NDArray[Any]) -> None:
        assert (array.shape, array.dtype) == (into.shape, into.dtype)
        self.counts.downloaded += into.nbytes
        self.do(lambda: np.copyto(into, array.array))

    def current(self) -> AbstractContextManager[object]:
        return nullcontext()

    def capture(self, work: Work, about: str) -> Work:
        before, self._work = self._work, []
        work()
        captured, self._work = self._work, before
        return lambda: self._work.extend(captured)

    def wait(self) -> None:
        self.counts.waits += 1
        work, self._work = self._work, []
        for step in work:
            step()

    def do(self, step: Callable[[], object]) -> None:
        """Enqueue what is not a kernel."""
        self._work.append(step)

    def launch(self, name: str, kernel: Callable[..., object], args: tuple[Any, ...]) -> None:
        """Enqueue a kernel."""
        self.counts.launches[name] += 1
        self.do(lambda: kernel(*args))


class StandInSession:
    """A graph on the processor that passes for one on the device, on the same arrays."""

    backend = "tensorrt"

    def __init__(self, session: GraphSession, device: StandInDevice) -> None:
        self.precision, self.threads = session.precision, session.threads
        self.device = device
        self.inputs: Buffers = session.inputs
        self.outputs: Buffers = session.outputs
        self.device_inputs = {name: Lent(array) for name, array in session.inputs.items()}
        self.device_outputs = {name: Lent(array) for name, array in session.outputs.items()}
        self._session = session

    def enqueue(self) -> None:
        self.device.do(self._session.run)

    def run(self) -> None:
        self.enqueue()
        self.device.wait()

    def close(self) -> None:
        self._session.close()


def _refused(shape: Shape, kind: DTypeLike) -> Lent:
    raise AssertionError(f"an op allocated {shape} of {kind}")


@contextmanager
def stand_in(patch: pytest.MonkeyPatch) -> Iterator[StandInDevice]:
    """The device, to which `mien_kernels` sends its work; ops may not allocate. Skips where there is no nvcc."""
    module = built_on_host()
    if isinstance(module, str):
        missing(module, "MIEN_REQUIRE_NVCC")
    device = StandInDevice()

    def deferred(name: str) -> Callable[..., None]:
        return lambda *args: device.launch(name, getattr(module, name), args)

    names = [name for name in dir(module) if not name.startswith("_")]
    found = {name: getattr(module, name) if name in AT_ONCE else deferred(name) for name in names}
    patch.setitem(sys.modules, "mien_kernels._cuda", types.SimpleNamespace(**found))
    patch.setitem(sys.modules, "pycuda.gpuarray", types.SimpleNamespace(empty=_refused))
    kernels.native.cache_clear()
    yield device
    kernels.native.cache_clear()
