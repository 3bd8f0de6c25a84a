"""Stand-ins for TensorRT and CuPy, so that what surrounds them is tested where neither is.

The engine that they make writes the mean of its first input into every output; copies and runs are put into a stream,
which does them at once or, while it is captured, keeps them for the graph. They show the order of calls and that
memory goes where it should, not that TensorRT takes them.
"""

from __future__ import annotations

import ctypes
import enum
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mien.manifest import Bundle, Graph

Flags = enum.IntEnum("Flags", {"STRONGLY_TYPED": 1})
Severity = enum.Enum("Severity", "INTERNAL_ERROR ERROR WARNING INFO VERBOSE")


@dataclass
class Behaviour:
    """What the stand-in shall do, and what was asked of it."""

    types: str = "Half"
    """Of the layers' outputs, as the inspector tells them."""
    parses: bool = True
    builds: bool = True
    captures: bool = True
    bad_timings: bytes | None = None
    """A timing cache that is refused."""
    value: float | None = None
    """What outputs hold instead of the mean."""
    flags: int = 0
    builds_begun: int = 0
    timings_given: list[bytes] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    """What went through the stream, captured or not."""


def _tensorrt(graph: Graph, told: Behaviour) -> ModuleType:
    class Logger:
        def __init__(self) -> None:
            pass

        Severity = Severity

    class Monitor:
        def __init__(self) -> None:
            pass

    class Config(SimpleNamespace):
        def set_memory_pool_limit(self, pool: str, size: int) -> None:
            assert (pool, size > 0) == ("workspace", True)

        def add_optimization_profile(self, profile: Any) -> int:
            assert set(profile.shapes) == {tensor.name for tensor in graph.inputs}
            return 0

        def create_timing_cache(self, content: bytes) -> Any:
            told.timings_given.append(content)
            return SimpleNamespace(content=content, serialize=lambda: b"timings")

        def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
            return not ignore_mismatch and cache.content != told.bad_timings

    class Profile:
        def __init__(self) -> None:
            self.shapes: dict[str, Any] = {}

        def set_shape(self, name: str, *shapes: tuple[int, ...]) -> None:
            assert len(set(shapes)) == 1
            self.shapes[name] = shapes[0]

    class Builder:
        def __init__(self, log: Logger) -> None:
            self.log = log

        def create_network(self, flags: int) -> str:
            told.flags = flags
            return "network"

        def create_builder_config(self) -> Config:
            return Config()

        def create_optimization_profile(self) -> Profile:
            return Profile()

        def build_serialized_network(self, network: str, config: Config) -> bytes | None:
            told.builds_begun += 1
            config.progress_monitor.phase_start("building", None, 2)
            for step in range(2):
                if not config.progress_monitor.step_complete("building", step):
                    return None
            config.progress_monitor.phase_finish("building")
            if not told.builds:
                self.log.log(Severity.ERROR, "no tactic\nfound")  # type: ignore[attr-defined]
                return None
            detailed = config.profiling_verbosity == "detailed" and config.builder_optimization_level == 3
            return b"plan" if detailed else b"a plan without types"

    class Parser:
        num_errors = 1

        def __init__(self, network: str, log: Logger) -> None:
            pass

        def parse(self, content: bytes) -> bool:
            assert content == graph.path.read_bytes()
            return told.parses

        def get_error(self, index: int) -> Any:
            return SimpleNamespace(desc=lambda: "node 3:\nunsupported")

    class Runtime:
        def __init__(self, log: Logger) -> None:
            pass

        def deserialize_cuda_engine(self, plan: bytes) -> Any:
            return Engine() if plan == b"plan" else None

    class Engine:
        def create_engine_inspector(self) -> Any:
            layers = [{"Name": "conv", "Outputs": [{"Name": "y", "Format/Datatype": told.types}]}]
            text = json.dumps({"Layers": layers, "Bindings": []})
            return SimpleNamespace(get_engine_information=lambda form: text)

        def create_execution_context(self) -> Any:
            return Context()

        def get_tensor_dtype(self, name: str) -> str:
            return next(tensor.dtype for tensor in graph.inputs + graph.outputs if tensor.name == name)

    class Context:
        def __init__(self) -> None:
            self.addresses: dict[str, int] = {}

        def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
            return len(shape) == 4

        def infer_shapes(self) -> list[str]:
            return []

        def get_tensor_shape(self, name: str) -> tuple[int, ...]:
            return next(tensor.sized(1) for tensor in graph.inputs + graph.outputs if tensor.name == name)

        def set_tensor_address(self, name: str, address: int) -> bool:
            self.addresses[name] = address
            return address % 256 == 0

        def execute_async_v3(self, stream: int) -> bool:
            STREAMS[stream].do("run", self.compute)
            return True

        def compute(self) -> None:
            mean = told.value if told.value is not None else self.at(graph.inputs[0]).mean()
            for tensor in graph.outputs:
                self.at(tensor)[...] = mean

        def at(self, tensor: Any) -> Any:
            shape = tensor.sized(1)
            memory = (ctypes.c_float * int(np.prod(shape))).from_address(self.addresses[tensor.name])
            return np.ctypeslib.as_array(memory).reshape(shape)

    made = ModuleType("tensorrt")
    made.__dict__.update(
        __version__="11.0-stand-in", ILogger=Logger, IProgressMonitor=Monitor, Builder=Builder, OnnxParser=Parser,
        Runtime=Runtime, NetworkDefinitionCreationFlag=Flags, nptype=lambda dtype: dtype,
        MemoryPoolType=SimpleNamespace(WORKSPACE="workspace"), ProfilingVerbosity=SimpleNamespace(DETAILED="detailed"),
        LayerInformationFormat=SimpleNamespace(JSON="json"),
    )  # fmt: skip
    return made


STREAMS: dict[int, Any] = {}


def _cupy(told: Behaviour) -> ModuleType:
    class Stream:
        def __init__(self, non_blocking: bool) -> None:
            assert non_blocking
            self.ptr = id(self)
            self.waiting: list[Callable[[], object]] | None = None
            STREAMS[self.ptr] = self

        def do(self, name: str, work: Callable[[], object]) -> None:
            if self.waiting is None:
                told.steps.append(name)
                work()
            else:
                told.steps.append(f"capture {name}")
                self.waiting.append(work)

        def begin_capture(self) -> None:
            self.waiting = []

        def end_capture(self) -> Any:
            works, self.waiting = self.waiting or [], None
            if not told.captures:
                raise CudaError("cudaErrorStreamCaptureUnsupported")

            def launch(stream: Stream) -> None:
                assert stream is self
                told.steps.append("launch")
                for work in works:
                    work()

            return SimpleNamespace(launch=launch)

        def synchronize(self) -> None:
            told.steps.append("wait")

        def __enter__(self) -> Stream:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    class CudaError(RuntimeError):
        pass

    class Array(np.ndarray[Any, Any]):
        @property
        def data(self) -> Any:
            return SimpleNamespace(ptr=self.ctypes.data)

    def zeros(shape: tuple[int, ...], dtype: Any) -> Any:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        memory = np.zeros(size + 256, np.uint8)
        start = -memory.ctypes.data % 256
        return memory[start : start + size].view(dtype).reshape(shape).view(Array)

    def carry(target: int, source: int, size: int, kind: int, stream: int) -> None:
        STREAMS[stream].do({1: "in", 2: "out"}[kind], lambda: ctypes.memmove(target, source, size))

    runtime = SimpleNamespace(
        memcpyAsync=carry,
        memcpyHostToDevice=1,
        memcpyDeviceToHost=2,
        CUDARuntimeError=CudaError,
        getDevice=lambda: 0,
        getDeviceProperties=lambda number: {"name": b"A GPU", "major": 9, "minor": 0},
        driverGetVersion=lambda: 13000,
    )
    made = ModuleType("cupy")
    made.__dict__.update(
        zeros=zeros,
        cuda=SimpleNamespace(
            Stream=Stream,
            runtime=runtime,
            alloc_pinned_memory=bytearray,
        ),
    )
    return made


@pytest.fixture
def graph(whole_bundle: Bundle) -> Graph:
    return whole_bundle.graph("generator", "fp16")


@pytest.fixture
def told(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> Behaviour:
    """The stand-ins are in place: what they are to do and were told."""
    behaviour = Behaviour()
    monkeypatch.setitem(sys.modules, "tensorrt", _tensorrt(graph, behaviour))
    monkeypatch.setitem(sys.modules, "cupy", _cupy(behaviour))
    names = ("mien.device.cuda", "mien.runtime.tensorrt.build", "mien.runtime.tensorrt.run")
    packages = {name: import_module(name.rpartition(".")[0]) for name in names}
    for name, package in packages.items():
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delattr(package, name.rpartition(".")[2], raising=False)
    modules = {name: import_module(name) for name in names}
    for name, package in packages.items():  # the import put them there for good
        del sys.modules[name]
        delattr(package, name.rpartition(".")[2])
        monkeypatch.setitem(sys.modules, name, modules[name])
        monkeypatch.setattr(package, name.rpartition(".")[2], modules[name], raising=False)
    return behaviour
