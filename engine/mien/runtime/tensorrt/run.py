"""TensorRT sessions: buffers on the GPU, a stream of their own, and a replayed CUDA graph.

The only file that imports CuPy.
"""

from __future__ import annotations

import logging
from typing import Any

import cupy
import numpy as np
import tensorrt as trt

from mien.errors import BackendError
from mien.manifest import Graph, TensorSpec
from mien.runtime.session import Buffers
from mien.runtime.tensorrt.build import load
from mien.runtime.tensorrt.engines import Device, driver_release

logger = logging.getLogger(__name__)

_ALIGNMENT = 256
"""Bytes that TensorRT wants addresses to be a multiple of."""


def this_device() -> Device:
    """The GPU in use.

    Raises:
        BackendError: there is none, or its driver does not answer.
    """
    runtime = cupy.cuda.runtime
    try:
        properties = runtime.getDeviceProperties(runtime.getDevice())
        driver = f"{runtime.driverGetVersion()} {driver_release()}".strip()
    except runtime.CUDARuntimeError as error:
        raise BackendError(f"tensorrt: expected an NVIDIA GPU and its driver, got none ({error})") from error
    return Device(properties["name"].decode(), (properties["major"], properties["minor"]), driver)


class TensorRtSession:
    """A graph as a TensorRT engine.

    `inputs` and `outputs` lie in pinned memory of the host and are carried there and back by `run`. A caller whose
    arrays are on the GPU already fills `device_inputs` in the order of `stream` and calls `enqueue` instead.
    """

    backend = "tensorrt"
    threads = 1

    def __init__(self, graph: Graph, plan: bytes, *, batch: int = 1) -> None:
        """Load the engine, run it once, and capture a run.

        Raises:
            BackendError: it does not load or fit the graph, or gives what is no number.
        """
        self.precision = graph.precision
        self._engine = load(plan)
        self._context = self._engine.create_execution_context()
        self.stream = cupy.cuda.Stream(non_blocking=True)
        self._set_shapes(graph, batch)
        self.device_inputs = {tensor.name: self._bound(tensor, batch) for tensor in graph.inputs}
        self.device_outputs = {tensor.name: self._bound(tensor, batch) for tensor in graph.outputs}
        self.inputs: Buffers = {name: _pinned(array) for name, array in self.device_inputs.items()}
        self.outputs: Buffers = {name: _pinned(array) for name, array in self.device_outputs.items()}
        cupy.cuda.Device().synchronize()  # the buffers were zeroed on another stream
        self._warm_up(graph)
        self._captured: Any = self._capture()

    def run(self) -> None:
        """Compute `outputs` from `inputs`."""
        if self._captured is None:
            self._carry_and_enqueue()
        else:
            self._captured.launch(self.stream)
        self.stream.synchronize()

    def enqueue(self) -> None:
        """Put a run from `device_inputs` to `device_outputs` into `stream`, and do not wait for it.

        Raises:
            BackendError: TensorRT refuses.
        """
        if not self._context.execute_async_v3(self.stream.ptr):
            raise BackendError("tensorrt: a run was refused; see the log")

    def close(self) -> None:
        """Free the GPU's memory."""
        self.stream.synchronize()
        self._captured = self._context = self._engine = None
        self.device_inputs, self.device_outputs = {}, {}

    def _set_shapes(self, graph: Graph, batch: int) -> None:
        for tensor in graph.inputs:
            if not self._context.set_input_shape(tensor.name, tensor.sized(batch)):
                raise BackendError(f"tensorrt: the engine does not take {tensor.name} as {tensor.sized(batch)}")
        open_ones = self._context.infer_shapes()
        if open_ones:
            raise BackendError(f"tensorrt: the engine wants more than the manifest's inputs: {', '.join(open_ones)}")

    def _bound(self, tensor: TensorSpec, batch: int) -> Any:
        """A device array for a tensor of the engine, which must be what the manifest says."""
        shape = tuple(self._context.get_tensor_shape(tensor.name))
        dtype = np.dtype(trt.nptype(self._engine.get_tensor_dtype(tensor.name)))
        if (shape, dtype) != (tensor.sized(batch), np.dtype(tensor.dtype)):
            raise BackendError(
                f"tensorrt: expected {tensor.name} to be {tensor.dtype} {tensor.sized(batch)}, got {dtype} {shape}"
            )
        array = cupy.zeros(shape, dtype)
        if array.data.ptr % _ALIGNMENT:
            raise BackendError(f"tensorrt: the memory of {tensor.name} is not aligned to {_ALIGNMENT} bytes")
        if not self._context.set_tensor_address(tensor.name, array.data.ptr):
            raise BackendError(f"tensorrt: the engine does not take memory for {tensor.name}")
        return array

    def _carry_and_enqueue(self) -> None:
        runtime, stream = cupy.cuda.runtime, self.stream.ptr
        for name, array in self.device_inputs.items():
            host = self.inputs[name].ctypes.data
            runtime.memcpyAsync(array.data.ptr, host, array.nbytes, runtime.memcpyHostToDevice, stream)
        self.enqueue()
        for name, array in self.device_outputs.items():
            host = self.outputs[name].ctypes.data
            runtime.memcpyAsync(host, array.data.ptr, array.nbytes, runtime.memcpyDeviceToHost, stream)

    def _warm_up(self, graph: Graph) -> None:
        """One run on random values; what is no number is a type that overflows, and would show as black frames."""
        rng = np.random.default_rng(0)
        for tensor in graph.inputs:
            array = self.inputs[tensor.name]
            array[...] = rng.uniform(*(tensor.range or (-1.0, 1.0)), array.shape)
        self._carry_and_enqueue()
        self.stream.synchronize()
        for name, array in self.outputs.items():
            if not np.isfinite(array).all():
                raise BackendError(f"tensorrt: {name} holds values that are no numbers; build the graph in fp32")
        for array in self.inputs.values():
            array[...] = 0

    def _capture(self) -> Any:
        """A run as a CUDA graph; None, and a warning, where the engine holds what cannot be captured."""
        self.stream.begin_capture()
        try:
            self._carry_and_enqueue()
        finally:
            try:
                captured = self.stream.end_capture()
            except cupy.cuda.runtime.CUDARuntimeError as error:
                logger.warning("tensorrt: no CUDA graph of this engine (%s); each run is enqueued instead", error)
                captured = None
        return captured


def _pinned(like: Any) -> Any:
    """A host array of the same shape and type, in memory that copies run from beside other work."""
    memory = cupy.cuda.alloc_pinned_memory(like.nbytes)
    array = np.frombuffer(memory, like.dtype, like.size).reshape(like.shape)
    array[...] = 0
    return array
