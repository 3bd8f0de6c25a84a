"""TensorRT sessions: buffers on the GPU, and a captured run that is replayed."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorrt as trt

from mien.device.cuda import CudaDevice
from mien.errors import BackendError
from mien.manifest import Graph, TensorSpec
from mien.runtime.session import Buffers
from mien.runtime.tensorrt.build import load


class TensorRtSession:
    """A graph as a TensorRT engine.

    `inputs` and `outputs` lie on the host and are carried there and back by `run`. A caller whose arrays are on the GPU
    already fills `device_inputs` in the order of `device` and calls `enqueue` instead.
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
        self.device = CudaDevice()
        self._set_shapes(graph, batch)
        self.device_inputs = {tensor.name: self._bound(tensor, batch) for tensor in graph.inputs}
        self.device_outputs = {tensor.name: self._bound(tensor, batch) for tensor in graph.outputs}
        self.inputs: Buffers = self._on_host(self.device_inputs)
        self.outputs: Buffers = self._on_host(self.device_outputs)
        self._warm_up(graph)
        self._captured = self.device.capture(self._carry_and_enqueue, "this engine")

    def run(self) -> None:
        """Compute `outputs` from `inputs`."""
        if self._captured is None:
            self._carry_and_enqueue()
        else:
            self._captured()
        self.device.wait()

    def enqueue(self) -> None:
        """Put a run from `device_inputs` to `device_outputs` into the order of `device`, and do not wait for it.

        Raises:
            BackendError: TensorRT refuses.
        """
        if not self._context.execute_async_v3(self.device.stream):
            raise BackendError("tensorrt: a run was refused; see the log")

    def close(self) -> None:
        """Free the GPU's memory."""
        self.device.wait()
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
        array = self.device.zeros(shape, dtype)
        if not self._context.set_tensor_address(tensor.name, array.data.ptr):
            raise BackendError(f"tensorrt: the engine does not take memory for {tensor.name}")
        return array

    def _on_host(self, arrays: dict[str, Any]) -> Buffers:
        return {name: self.device.staging(array.shape, array.dtype) for name, array in arrays.items()}

    def _carry_and_enqueue(self) -> None:
        for name, array in self.device_inputs.items():
            self.device.upload(self.inputs[name], array)
        self.enqueue()
        for name, array in self.device_outputs.items():
            self.device.download(array, self.outputs[name])

    def _warm_up(self, graph: Graph) -> None:
        """One run on random values; what is no number is a type that overflows, and would show as black frames."""
        rng = np.random.default_rng(0)
        for tensor in graph.inputs:
            array = self.inputs[tensor.name]
            array[...] = rng.uniform(*(tensor.range or (-1.0, 1.0)), array.shape)
        self._carry_and_enqueue()
        self.device.wait()
        for name, array in self.outputs.items():
            if not np.isfinite(array).all():
                raise BackendError(f"tensorrt: {name} holds values that are no numbers; build the graph in fp32")
        for array in self.inputs.values():
            array[...] = 0
