"""Time on the GPU: events on the stream of a session, around what it runs, and NVTX ranges for a profiler.

Nothing waits for the GPU because of it: events are read when all is done. Not run on a GPU yet.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mien.runtime.session import Buffers, Session


class Timed:
    """A session whose runs are between two events. For sessions with a `stream`, TensorRT's."""

    def __init__(self, session: Session, name: str) -> None:
        self._session: Any = session
        self._name = name
        self._cuda: Any = import_module("cupy").cuda
        self._pairs: list[tuple[Any, Any]] = []
        self.backend, self.precision, self.threads = session.backend, session.precision, session.threads

    @property
    def inputs(self) -> Buffers:
        found: Buffers = self._session.inputs
        return found

    @property
    def outputs(self) -> Buffers:
        found: Buffers = self._session.outputs
        return found

    def run(self) -> None:
        begin, end = self._cuda.Event(), self._cuda.Event()
        self._cuda.nvtx.RangePush(self._name)
        begin.record(self._session.stream)
        self._session.run()
        end.record(self._session.stream)
        self._cuda.nvtx.RangePop()
        self._pairs.append((begin, end))

    def close(self) -> None:
        self._session.close()

    def milliseconds(self) -> list[float]:
        """Of all runs so far; begins anew."""
        pairs, self._pairs = self._pairs, []
        if pairs:
            pairs[-1][1].synchronize()
        return [float(self._cuda.get_elapsed_time(begin, end)) for begin, end in pairs]


def why_not() -> str | None:
    """Why there is nothing to time on a GPU here; None where there is."""
    try:
        cuda: Any = import_module("cupy").cuda
    except ImportError:
        return "CUDA: not measured, cupy is not installed (pip install 'mien[gpu]')"
    try:
        count = cuda.runtime.getDeviceCount()
    except cuda.runtime.CUDARuntimeError as error:
        return f"CUDA: not measured, no GPU or driver ({error})"
    return None if count else "CUDA: not measured, there is no GPU"
