"""Where kernels are measured: the processor, and a CUDA device if torch finds one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mien_bench.kernels.harness import Side

PER_THREAD = 1 << 20
"""Bytes below which a copy is not shared with another thread."""


class Device(Protocol):
    """A device: arrays in its memory, its copy, and its clock."""

    @property
    def name(self) -> str:
        """Which device."""
        ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """Element types of features that kernels take here."""
        ...

    @property
    def threads(self) -> int:
        """How many threads an op is given."""
        ...

    def put(self, values: NDArray[Any], kind: str | None = None) -> Any:
        """A contiguous array here, converted to `kind` if one is named."""
        ...

    def get(self, array: Any) -> NDArray[Any]:
        """The values as NumPy's, float16 and bfloat16 as float32."""
        ...

    def tensor(self, array: Any) -> Any:
        """The same memory as a torch tensor."""
        ...

    def copies(self, count: int) -> tuple[Side, ...]:
        """Copies that move `count` bytes: half of them read, half of them written."""
        ...

    def stopwatch(self, call: Callable[[], object], calls: int) -> float:
        """Milliseconds per call."""
        ...


@dataclass(frozen=True, slots=True)
class Processor:
    """The processor, with a number of threads."""

    threads: int
    pool: ThreadPoolExecutor
    name: str = "cpu"
    kinds: tuple[str, ...] = ("float32",)

    def put(self, values: NDArray[Any], kind: str | None = None) -> NDArray[Any]:
        """See Device."""
        return np.array(values, kind or values.dtype, order="C")

    def get(self, array: Any) -> NDArray[Any]:
        """See Device."""
        return np.asarray(array)

    def tensor(self, array: NDArray[Any]) -> Any:
        """See Device."""
        return import_module("torch").from_numpy(array)

    def copies(self, count: int) -> tuple[Side, ...]:
        """See Device; memcpy, and memcpy shared by the threads if there is enough for each."""
        source, target = np.ones(count // 2, np.uint8), np.zeros(count // 2, np.uint8)
        alone = Side("memcpy", lambda: np.copyto(target, source), None)
        parts = min(self.threads, source.size // PER_THREAD)
        if parts < 2:
            return (alone,)
        slices = list(zip(np.array_split(target, parts), np.array_split(source, parts), strict=True))

        def shared() -> None:
            others = [self.pool.submit(np.copyto, *pair) for pair in slices[1:]]
            np.copyto(*slices[0])
            for other in others:
                other.result()

        return alone, Side(f"memcpy, {parts} threads", shared, None)

    def stopwatch(self, call: Callable[[], object], calls: int) -> float:
        """See Device."""
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - start) * 1000 / calls


@dataclass(frozen=True, slots=True)
class Cuda:
    """A CUDA device; arrays are torch tensors, and calls are timed as replays of a CUDA graph."""

    torch: Any
    graphs: dict[Callable[[], object], Any]
    name: str
    threads: int = 1
    kinds: tuple[str, ...] = ("float32", "float16", "bfloat16")

    def put(self, values: NDArray[Any], kind: str | None = None) -> Any:
        """See Device."""
        tensor = self.torch.from_numpy(np.ascontiguousarray(values)).cuda()
        return tensor if kind is None else tensor.to(getattr(self.torch, kind))

    def get(self, array: Any) -> NDArray[Any]:
        """See Device."""
        wide = array.float() if array.is_floating_point() else array
        values: NDArray[Any] = wide.cpu().numpy()
        return values

    def tensor(self, array: Any) -> Any:
        """See Device."""
        return array

    def copies(self, count: int) -> tuple[Side, ...]:
        """See Device."""
        source = self.torch.ones(count // 2, dtype=self.torch.uint8, device="cuda")
        target = self.torch.empty_like(source)
        return (Side("device copy", lambda: target.copy_(source), None),)

    def stopwatch(self, call: Callable[[], object], calls: int) -> float:
        """See Device; a call is captured once, after it has run outside of the graph."""
        graph = self.graphs.get(call)
        if graph is None:
            graph = self.graphs[call] = self._captured(call)
        start, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(calls):
            graph.replay()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / calls

    def _captured(self, call: Callable[[], object]) -> Any:
        side = self.torch.cuda.Stream()
        with self.torch.cuda.stream(side):
            for _ in range(3):
                call()
        self.torch.cuda.synchronize()
        graph = self.torch.cuda.CUDAGraph()
        with self.torch.cuda.graph(graph):
            call()
        return graph


def devices(threads: int, wanted: str | None) -> Iterator[Device]:
    """The devices present, or the one of the `wanted` kind ("cpu", "cuda")."""
    if wanted in (None, "cpu"):
        with ThreadPoolExecutor(max(1, threads - 1)) as pool:
            yield Processor(threads, pool)
    if wanted in (None, "cuda") and find_spec("torch") is not None:
        torch = import_module("torch")
        if torch.cuda.is_available():
            yield Cuda(torch, {}, f"cuda ({torch.cuda.get_device_name()})")
