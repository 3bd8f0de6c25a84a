"""A GPU through CuPy: memory, copies, a stream, and captured work. The only file that imports CuPy."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from typing import Any, cast

import cupy
import numpy as np
from numpy.typing import DTypeLike, NDArray

from mien.device.device import ALIGNMENT, Shape, Work, size_of
from mien.errors import BackendError
from mien.machine.gpu import Gpu, driver_release

logger = logging.getLogger(__name__)


def this_gpu() -> Gpu:
    """The GPU in use.

    Raises:
        BackendError: there is none, or its driver does not answer.
    """
    runtime = cupy.cuda.runtime
    try:
        properties = runtime.getDeviceProperties(runtime.getDevice())
        driver = f"{runtime.driverGetVersion()} {driver_release()}".strip()
    except runtime.CUDARuntimeError as error:
        raise BackendError(f"cuda: expected an NVIDIA GPU and its driver, got none ({error})") from error
    return Gpu(properties["name"].decode(), (properties["major"], properties["minor"]), driver)


class CudaDevice:
    """See `mien.device.device.Device`. The GPU that CuPy has chosen, and a stream of its own."""

    is_host = False

    def __init__(self) -> None:
        self.name = f"cuda:{cupy.cuda.runtime.getDevice()}"
        self._stream = cupy.cuda.Stream(non_blocking=True)

    @property
    def stream(self) -> int:
        """The cudaStream_t of its work."""
        return int(self._stream.ptr)

    def zeros(self, shape: Shape, dtype: DTypeLike) -> Any:
        """See Device.

        Raises:
            BackendError: the memory is not aligned.
        """
        with self._stream:
            array = cupy.zeros(shape, dtype)
        if array.data.ptr % ALIGNMENT:
            raise BackendError(f"{self.name}: expected memory at a multiple of {ALIGNMENT} bytes, got another address")
        return array

    def staging(self, shape: Shape, dtype: DTypeLike) -> NDArray[Any]:
        """See Device; in pinned memory."""
        memory = cupy.cuda.alloc_pinned_memory(max(size_of(shape, dtype), 1))
        array = np.frombuffer(memory, dtype, int(np.prod(shape, dtype=np.int64))).reshape(shape)
        array[...] = 0
        return array

    def view(self, memory: Any, shape: Shape, dtype: DTypeLike) -> Any:
        """See Device."""
        return memory[: size_of(shape, dtype)].view(dtype).reshape(shape)

    def upload(self, values: NDArray[Any], into: Any) -> None:
        """See Device."""
        self._copy(into.data.ptr, values.ctypes.data, values.nbytes, "memcpyHostToDevice")

    def download(self, array: Any, into: NDArray[Any]) -> None:
        """See Device."""
        self._copy(into.ctypes.data, array.data.ptr, into.nbytes, "memcpyDeviceToHost")

    def current(self) -> AbstractContextManager[object]:
        """See Device."""
        return cast(AbstractContextManager[object], self._stream)

    def capture(self, work: Work, about: str) -> Work | None:
        """See Device; as a CUDA graph."""
        captured: Any = None
        self._stream.begin_capture()
        try:
            work()
        finally:
            try:
                captured = self._stream.end_capture()
            except cupy.cuda.runtime.CUDARuntimeError as error:
                logger.warning("%s: no CUDA graph of %s (%s); each run is enqueued instead", self.name, about, error)
        return None if captured is None else lambda: captured.launch(self._stream)

    def wait(self) -> None:
        """See Device."""
        self._stream.synchronize()

    def _copy(self, target: int, source: int, count: int, kind: str) -> None:
        runtime = cupy.cuda.runtime
        runtime.memcpyAsync(target, source, count, getattr(runtime, kind), self._stream.ptr)
