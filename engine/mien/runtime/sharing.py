"""Weights shared by several sessions, and dynamic batching of their calls on an accelerator.

No call waits for company: an idle device takes one alone at once. So a call never ends later than it would if the
device took one after the other, provided that a batch takes no longer than its calls would, which is measured.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Lock
from typing import Final, Protocol, runtime_checkable

import numpy as np

from mien.cancellation import Cancellation
from mien.clock import Clock, MonotonicClock
from mien.handover import Closed
from mien.machine.threads import begun
from mien.manifest import Bundle
from mien.runtime.auto import CPU_BACKENDS
from mien.runtime.opening import open_session
from mien.runtime.session import Buffers, GraphSession

logger = logging.getLogger(__name__)

SIZES: Final = (1, 2, 4)
"""Batches that are loaded: engines have fixed shapes."""
MEMORY: Final = 0.1
"""Weight of the newest run in how long runs of a size take."""
Key = tuple[str, str, str, str | None, int]
"""Folder of the bundle, graph, backend, precision, threads."""


@dataclass(eq=False)
class _Size:
    """A loaded batch and how long it runs, in seconds; None before the first."""

    count: int
    session: GraphSession
    seconds: float | None = None

    def ran(self, seconds: float) -> None:
        before = seconds if self.seconds is None else self.seconds
        self.seconds = before + MEMORY * (seconds - before)


@dataclass(eq=False)
class _Call:
    """A pending run of one session."""

    member: BatchedSession
    done: Future[None] = field(default_factory=Future)


class Batcher:
    """Owns the device's sessions and the thread that runs them; members may call from any thread."""

    def __init__(self, load: Callable[[int], GraphSession], *, clock: Clock | None = None) -> None:
        """`load` gives a session for a batch of so many; all `SIZES` are loaded here, none later.

        Raises:
            Whatever `load` does.
        """
        self._clock = clock or MonotonicClock()
        self._sizes = [_Size(count, load(count)) for count in SIZES]
        self._changed = Condition()
        self._waiting: deque[_Call] = deque()
        self._closed = False
        self.runs: dict[int, int] = dict.fromkeys(SIZES, 0)
        """How often each size ran."""
        self._thread = begun("mien-batch", self._work)

    def member(self) -> BatchedSession:
        """A session whose calls are batched with those of other members."""
        return BatchedSession(self, self._sizes[0].session)

    def run(self, member: BatchedSession) -> None:
        """Run one member's call, and return when its outputs are there.

        Raises:
            Closed: after `close`.
            Whatever the runtime does.
        """
        call = _Call(member)
        with self._changed:
            if self._closed:
                raise Closed
            self._waiting.append(call)
            self._changed.notify()
        call.done.result()

    def close(self) -> None:
        """Refuse further calls, let the last ones end, and let go of the device's memory."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        for size in self._sizes:
            size.session.close()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                size = chosen([(one.count, one.seconds) for one in self._sizes], len(self._waiting))
                calls = [self._waiting.popleft() for _ in range(size)]
            self._run(next(one for one in self._sizes if one.count == size), calls)

    def _run(self, size: _Size, calls: list[_Call]) -> None:
        try:
            self._together(size, calls)
        except Exception as error:
            if len(calls) == 1:
                calls[0].done.set_exception(error)
                return
            logger.warning("a batch of %d failed (%r); its calls run one by one", len(calls), error)
            for call in calls:
                self._run(self._sizes[0], [call])
            return
        for call in calls:
            call.done.set_result(None)

    def _together(self, size: _Size, calls: list[_Call]) -> None:
        began = self._clock.now()
        for place, call in enumerate(calls):
            for name, array in size.session.inputs.items():
                array[place] = call.member.inputs[name][0]
        size.session.run()
        for place, call in enumerate(calls):
            for name, array in size.session.outputs.items():
                call.member.outputs[name][0] = array[place]
        size.ran(self._clock.now() - began)
        self.runs[size.count] += 1


class BatchedSession:
    """A `GraphSession` with arrays of its own, which others' calls are run along with."""

    def __init__(self, batcher: Batcher, like: GraphSession) -> None:
        self._batcher = batcher
        self.backend, self.precision, self.threads = like.backend, like.precision, like.threads
        self.inputs: Buffers = {name: np.zeros_like(array) for name, array in like.inputs.items()}
        self.outputs: Buffers = {name: np.zeros_like(array) for name, array in like.outputs.items()}

    def run(self) -> None:
        """Compute `outputs` from `inputs`.

        Raises:
            As `Batcher.run`.
        """
        self._batcher.run(self)

    def twin(self) -> BatchedSession:
        """Another member."""
        return self._batcher.member()

    def close(self) -> None:
        """Nothing: the device's memory is the batcher's."""


def chosen(sizes: list[tuple[int, float | None]], waiting: int) -> int:
    """How many of the calls that wait to run together: the largest batch that is full and pays.

    One that was seen to take longer than its calls take alone does not. `sizes` are (calls, seconds or None where it
    never ran), the first a single one.
    """
    single = sizes[0][1]
    for count, seconds in reversed(sizes):
        if count <= waiting and (seconds is None or single is None or seconds <= count * single):
            return count
    return 1


@runtime_checkable
class Sharing(Protocol):
    """A session whose runtime can share weights."""

    def twin(self) -> GraphSession:
        """Another session on the same weights, with its own arrays."""


class SharedGraphs:
    """Loads each graph once; for any thread. Graphs stay loaded until `close`.

    On the processor each session runs by itself. On an accelerator, which takes one call at a time, generator calls
    that come together run as one batch; that was tried with the processor's runtimes in the accelerator's place only.
    """

    def __init__(self, load: Callable[..., GraphSession] = open_session) -> None:
        self._load = load
        self._lock = Lock()
        self._cancellation = Cancellation()
        self._first: dict[Key, GraphSession] = {}
        self._batchers: list[Batcher] = []
        self._bundles: dict[str, Bundle] = {}

    def bundle(self, name: str, read: Callable[[str], Bundle]) -> Bundle:
        """What `read` gives for a name, read and checked once.

        Raises:
            As `read`.
        """
        with self._lock:
            found = self._bundles.get(name)
            if found is None:
                found = self._bundles[name] = read(name)
            return found

    def session(
        self, bundle: Bundle, graph: str, backend: str = "auto", precision: str | None = None, threads: int = 1
    ) -> GraphSession:
        """As `mien.runtime.opening.open_session`; whoever asks closes what is given.

        Raises:
            As that; Stopped after `stop`.
        """
        self.need_wanted()
        key = (str(bundle.folder), graph, backend, precision, threads)
        with self._lock:
            first = self._first.get(key)
            if first is None:
                loaded = self._loaded(bundle, graph, backend, precision, threads)
                if not isinstance(loaded, Sharing):
                    return loaded
                first = self._first[key] = loaded
            assert isinstance(first, Sharing)
            return first.twin()

    def stop(self) -> None:
        """Have whatever is being loaded, on any thread, end at its next step."""
        self._cancellation.cancel()

    def need_wanted(self) -> None:
        """Raise Stopped after `stop`; for the steps of what takes long."""
        self._cancellation.need_wanted()

    def close(self) -> None:
        """Let go of the weights; sessions on the processor that still run keep theirs."""
        with self._lock:
            for session in self._first.values():
                session.close()
            self._first.clear()
            for batcher in self._batchers:
                batcher.close()
            self._batchers.clear()

    def _loaded(self, bundle: Bundle, graph: str, backend: str, precision: str | None, threads: int) -> GraphSession:
        if bundle.runs(graph) != "frame" or backend in ("auto", *CPU_BACKENDS):
            return self._load(bundle, graph, backend, precision, threads)
        batcher = Batcher(lambda count: self._load(bundle, graph, backend, precision, threads, batch=count))
        self._batchers.append(batcher)
        return batcher.member()
