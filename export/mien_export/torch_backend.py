"""The backend `torch`: a bundle's graphs in torch, on a GPU as a captured run on arrays that stay there.

An entry point of the group `mien.backends` leads to `open_session`, since the engine does not import torch.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor

from mien.device.device import Device, Shape, Work, size_of
from mien.errors import BackendError, SettingError, in_one_line
from mien.manifest import Graph
from mien.runtime.session import Buffers, GraphSession, buffers
from mien_export.graphs.torch_graph import TorchGraph

logger = logging.getLogger(__name__)

WARM_UP = 3
"""Runs before one is captured: libraries choose their algorithms and allocate in the first ones."""


class OpenTorch:
    """See `mien.runtime.opening.OpenGraph`."""

    def __call__(self, graph: Graph, *, threads: int = 1, batch: int = 1) -> GraphSession:
        """A session on the GPU that torch sees, or on the processor.

        Raises:
            BackendError: torch cannot run the graph.
        """
        module = _loaded(graph)
        if self.has_gpu():
            device = TorchDevice(torch.device("cuda", torch.cuda.current_device()))
            return TorchDeviceSession(graph, module, device, batch=batch)
        return TorchSession(graph, module, threads=threads, batch=batch)

    def has_gpu(self) -> bool:
        """Whether torch sees a GPU: it may be built without CUDA, or for another driver than there is."""
        return torch.cuda.is_available()


open_session: Final = OpenTorch()
"""What the entry point leads to."""


def _loaded(graph: Graph) -> TorchGraph:
    try:
        module = TorchGraph(graph.path)
    except SettingError as error:
        raise BackendError(f"torch: {error}") from error
    return module.eval().requires_grad_(False)


class TorchSession:
    """A graph on the processor. torch's number of threads is one for the whole process."""

    backend = "torch"

    def __init__(self, graph: Graph, module: TorchGraph, *, threads: int = 1, batch: int = 1) -> None:
        """Runs it once: only then an operator says what it cannot compute.

        Raises:
            BackendError: torch cannot run the graph.
        """
        self.precision, self.threads = graph.precision, threads
        self.inputs: Buffers = buffers(graph.inputs, batch)
        self.outputs: Buffers = buffers(graph.outputs, batch)
        self._module = module
        self._given = [torch.from_numpy(self.inputs[name]) for name in module.inputs]
        self._made = [torch.from_numpy(self.outputs[name]) for name in module.outputs]
        _try(self.run, graph)

    def run(self) -> None:
        """See GraphSession."""
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        _compute(self._module, self._given, self._made)

    def close(self) -> None:
        """See GraphSession."""
        self._given, self._made = [], []


class TorchDeviceSession:
    """A graph on a device of torch; see `mien.runtime.session.DeviceSession`."""

    backend = "torch"
    threads = 1

    def __init__(self, graph: Graph, module: TorchGraph, device: TorchDevice, *, batch: int = 1) -> None:
        """Warms up, and captures a run.

        Raises:
            BackendError: torch cannot run the graph.
        """
        self.precision = graph.precision
        self.device: Device = device
        self.device_inputs = {spec.name: device.zeros(spec.sized(batch), spec.dtype) for spec in graph.inputs}
        self.device_outputs = {spec.name: device.zeros(spec.sized(batch), spec.dtype) for spec in graph.outputs}
        self.inputs: Buffers = {spec.name: device.staging(spec.sized(batch), spec.dtype) for spec in graph.inputs}
        self.outputs: Buffers = {spec.name: device.staging(spec.sized(batch), spec.dtype) for spec in graph.outputs}
        self._module = module.to(device.place)
        _try(self._warm_up, graph)
        self._run: Work = device.capture(self._forward, "this graph") or self._forward

    def enqueue(self) -> None:
        """See DeviceSession."""
        with self.device.current():
            self._run()

    def run(self) -> None:
        """See GraphSession."""
        for name, array in self.device_inputs.items():
            self.device.upload(self.inputs[name], array)
        self.enqueue()
        for name, array in self.device_outputs.items():
            self.device.download(array, self.outputs[name])
        self.device.wait()

    def close(self) -> None:
        """See GraphSession."""
        self.device.wait()
        self._run = _nothing
        self.device_inputs, self.device_outputs = {}, {}

    def _warm_up(self) -> None:
        with self.device.current():
            for _ in range(WARM_UP):
                self._forward()
        self.device.wait()

    def _forward(self) -> None:
        given = [self.device_inputs[name] for name in self._module.inputs]
        _compute(self._module, given, [self.device_outputs[name] for name in self._module.outputs])


class TorchDevice:
    """See `mien.device.device.Device`: arrays are torch tensors, on a GPU with a stream of its own.

    A device on the processor computes at once. It is there for tests.
    """

    is_host = False

    def __init__(self, place: torch.device) -> None:
        self.place = place
        self.name = str(place)
        self._stream = torch.cuda.Stream(place) if place.type == "cuda" else None  # type: ignore[no-untyped-call]

    def zeros(self, shape: Shape, dtype: DTypeLike) -> Tensor:
        """See Device."""
        with self.current():
            return torch.zeros(shape, dtype=_kind(dtype), device=self.place)

    def staging(self, shape: Shape, dtype: DTypeLike) -> NDArray[Any]:
        """See Device; pinned where that is of use."""
        array: NDArray[Any] = torch.zeros(shape, dtype=_kind(dtype), pin_memory=self._stream is not None).numpy()
        return array

    def view(self, memory: Tensor, shape: Shape, dtype: DTypeLike) -> Tensor:
        """See Device."""
        return memory[: size_of(shape, dtype)].view(_kind(dtype)).reshape(shape)

    def upload(self, values: NDArray[Any], into: Tensor) -> None:
        """See Device."""
        with self.current():
            into.copy_(torch.from_numpy(values), non_blocking=True)

    def download(self, array: Tensor, into: NDArray[Any]) -> None:
        """See Device."""
        with self.current():
            torch.from_numpy(into).copy_(array, non_blocking=True)

    def current(self) -> AbstractContextManager[object]:
        """See Device."""
        stream: AbstractContextManager[object] = torch.cuda.stream(self._stream)  # of None: nothing
        return stream

    def capture(self, work: Work, about: str) -> Work | None:
        """See Device; as a CUDA graph, whose memory is its own. On the processor there is none.

        Other threads, of other chains, may go on with work that a capture would not allow.
        """
        if self._stream is None:
            return None
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                work()
        except RuntimeError as error:
            reason = in_one_line(error)
            logger.warning("%s: no CUDA graph of %s (%s); each run is enqueued instead", self.name, about, reason)
            return None
        replay: Work = graph.replay
        return replay

    def wait(self) -> None:
        """See Device."""
        if self._stream is not None:
            self._stream.synchronize()


def _try(run: Work, graph: Graph) -> None:
    try:
        run()
    except Exception as error:  # operators raise what torch and the reading of their attributes raise
        raise BackendError(f"torch: cannot run {graph.path} ({in_one_line(error)})") from error


def _compute(module: TorchGraph, given: list[Tensor], made: list[Tensor]) -> None:
    with torch.inference_mode():
        for array, result in zip(made, module(*given), strict=True):
            array.copy_(result)


def _kind(dtype: DTypeLike) -> torch.dtype:
    return torch.from_numpy(np.empty(0, dtype)).dtype


def _nothing() -> None:
    """What a closed session runs."""
