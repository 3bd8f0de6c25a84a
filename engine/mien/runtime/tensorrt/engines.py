"""Cache of TensorRT engines; a missing engine is built in the background, with progress."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mien.errors import BackendError, MienError
from mien.machine.gpu import Gpu
from mien.manifest import Graph
from mien.manifest.files import content
from mien.runtime.cache import Cache, key_of

Told = Callable[[str, float], None]
"""Called with the phase that is being worked on and the share of its outermost phase that is done, 0..1."""
logger = logging.getLogger(__name__)
_FORMAT = 1


@dataclass(slots=True)
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


class BuildProgress:
    """Keeps the phases and tells of them; TensorRT calls it from threads of its own."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._phases: dict[str, _Phase] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Request the end of the build, which happens at the next step."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def begin(self, name: str, parent: str | None, steps: int) -> None:
        """A phase begins, within another or on its own."""
        with self._lock:
            self._phases[name] = _Phase(parent, max(steps, 1))
            share = self._share(name)
        self._told(name, share)

    def step(self, name: str, number: int) -> bool:
        """Step `number`, from 0, is done; whether the build goes on."""
        with self._lock:
            if name in self._phases:
                self._phases[name].done = number + 1
            share = self._share(name)
        self._told(name, share)
        return not self.stopped

    def end(self, name: str) -> None:
        """A phase is over, whether or not all of its steps were told."""
        with self._lock:
            self._phases.pop(name, None)

    def _share(self, name: str) -> float:
        """Of the outermost phase around this one: each phase fills one step of its parent."""
        share, at = 0.0, self._phases.get(name)
        while at is not None:
            share = min((at.done + share) / at.steps, 1.0)
            at = self._phases.get(at.parent) if at.parent else None
        return share


def facts(graph: Graph, batch: int, device: Gpu, image: bytes) -> dict[str, Any]:
    """All inputs that an engine depends on, for its cache key.

    Args:
        image: the plug-in's compiled kernel; empty where there is none.
    """
    from mien.runtime.tensorrt import build

    return {
        "format": _FORMAT,
        "onnx": graph.sha256,
        "tensorrt": build.VERSION,
        "device": [device.name, *device.capability, device.driver],
        "shapes": {tensor.name: tensor.sized(batch) for tensor in graph.inputs},
        "flags": list(build.FLAGS),
        "level": build.LEVEL,
        "workspace": build.WORKSPACE,
        "plugin": hashlib.sha256(image).hexdigest() if image else None,
    }


def kept_engine(graph: Graph, batch: int, device: Gpu, cache: Cache) -> bytes | None:
    """The plan of an engine that was built before for all of this; None where there is none."""
    from mien.runtime.tensorrt import build

    return cache.read(_place(facts(graph, batch, device, build.plugin_image(content(graph.path)))))


def build_engine(graph: Graph, batch: int, device: Gpu, cache: Cache, progress: BuildProgress) -> bytes:
    """The plan of the engine, from the cache or built now, which takes minutes, and kept.

    Raises:
        BackendError: it cannot be built, or the build was stopped.
    """
    from mien.runtime.tensorrt import build

    read = content(graph.path)
    place = _place(facts(graph, batch, device, build.plugin_image(read)))
    kept = cache.read(place)
    if kept is not None:
        return kept
    timings = f"tensorrt/timings-{key_of({'version': build.VERSION, 'device': [device.name, *device.capability]})}"
    shapes = {tensor.name: tensor.sized(batch) for tensor in graph.inputs}
    built = build.build(read, graph.precision, shapes, cache.read(timings) or b"", progress)
    cache.write(timings, built.timing_cache)
    cache.write(place, built.plan)
    return built.plan


def _place(hangs_on: dict[str, Any]) -> str:
    return f"tensorrt/{key_of(hangs_on)}.engine"


class BackgroundBuild:
    """A build on a background thread, to be polled."""

    def __init__(self, graph: Graph, batch: int, device: Gpu, cache: Cache, told: Told) -> None:
        self._progress = BuildProgress(told)
        self._plan: bytes | None = None
        self._error: MienError | None = None
        self._thread = threading.Thread(
            target=self._build, args=(graph, batch, device, cache), name="mien-tensorrt-build", daemon=True
        )
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it came to an end, good or bad."""
        return not self._thread.is_alive()

    def plan(self) -> bytes:
        """The plan; waits for it.

        Raises:
            BackendError: the build failed.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        if self._plan is None:
            raise BackendError("tensorrt: the build ended without an engine; see the log")
        return self._plan

    def stop(self) -> None:
        """Abort; waits until TensorRT has stopped."""
        self._progress.stop()
        self._thread.join()

    def _build(self, graph: Graph, batch: int, device: Gpu, cache: Cache) -> None:
        try:
            self._plan = build_engine(graph, batch, device, cache, self._progress)
        except MienError as error:
            self._error = error
        except Exception as error:
            logger.exception("the build of %s failed", graph.path)
            self._error = BackendError(f"tensorrt: the build failed ({type(error).__name__}: {error})")
