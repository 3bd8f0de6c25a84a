"""Opens sessions for the graphs of a bundle, and lists the runtimes that can be loaded.

choice = choose(bundle, "generator", threads=2)
print(choice)
session = open_session(bundle, "generator", choice.backend, choice.precision, threads=2)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from importlib.util import find_spec
from typing import Final, Protocol, cast

from mien import plugins
from mien.clock import Clock, MonotonicClock
from mien.config import BACKENDS
from mien.errors import BackendError, SettingError
from mien.manifest import Bundle, Graph
from mien.runtime import auto, onnxruntime, openvino
from mien.runtime.auto import Choice
from mien.runtime.cache import Cache
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien.runtime.openvino import COMPUTED, OpenVinoSession
from mien.runtime.session import GraphSession

logger = logging.getLogger(__name__)
GROUP: Final = "mien.backends"
"""Entry points of backends whose library the engine does not import; each leads to an `OpenGraph`."""
ADDED: Final = ("torch",)
"""Their names, which are those of the libraries."""


class OpenGraph(Protocol):
    """Opens a graph.

    Raises:
        BackendError: the backend cannot run it.
    """

    def __call__(self, graph: Graph, *, threads: int, batch: int) -> GraphSession: ...

    def has_gpu(self) -> bool:
        """Whether it would open one on a GPU."""
        ...


def choose(
    bundle: Bundle,
    graph_name: str,
    backend: str = "auto",
    precision: str | None = None,
    threads: int = 1,
    *,
    cache: Cache | None = None,
    clock: Clock | None = None,
    need_wanted: Callable[[], None] = lambda: None,
) -> Choice:
    """Choose backend and precision for a graph, by a measurement if there are several.

    Args:
        backend: one of `BACKENDS`; `auto` stays on the processor: an accelerator is used where it is named.
        precision: as a session tells it (`fp32`, `bf16`, `fp16`, `int8`, `int8+bf16`); None: one that keeps quality.
        threads: processor threads that it may use.
        cache: where measurements are kept; None: the user's.
        clock: to measure by; None: the machine's.
        need_wanted: called before each step that takes long; what it raises ends the choice.

    Raises:
        SettingError: there is no such backend, or the bundle has no graph for the precision.
        BackendError: nothing that may be chosen runs here.
    """
    _need_backend(backend)
    cache, clock = cache or Cache(), clock or MonotonicClock()
    each_frame = bundle.runs(graph_name) == "frame"
    if backend == "tensorrt" and not each_frame:
        return Choice("onnxruntime", "fp32", "exact; an engine is not worth its build for one run per portrait")
    if backend != "auto" and backend not in auto.CPU_BACKENDS:
        return Choice(backend, precision or _fastest_on_device(bundle, graph_name, backend), "asked for")
    backends = auto.CPU_BACKENDS if backend == "auto" else (backend,)
    among = auto.candidates(bundle, graph_name, backends, precision)
    if not among:
        has = ", ".join(bundle.precisions(graph_name))
        raise SettingError(
            f"precision: expected one that model {bundle.name} has for {graph_name} ({has}) and {backend} computes in, "
            f"got {precision}"
        )
    if len(among) == 1:
        return Choice(*among[0], "asked for" if precision else "all that there is")
    if bundle.runs(graph_name) == "once":
        return _first_that_opens(bundle, graph_name, among, threads, cache)

    def open_one(backend: str, precision: str) -> GraphSession:
        need_wanted()
        return open_session(bundle, graph_name, backend, precision, threads, cache=cache)

    return auto.fastest(bundle, graph_name, among, threads, open_one, cache, clock, need_wanted)


def open_session(
    bundle: Bundle,
    graph_name: str,
    backend: str = "auto",
    precision: str | None = None,
    threads: int = 1,
    *,
    batch: int = 1,
    cache: Cache | None = None,
) -> GraphSession:
    """Load a graph; `choose` decides what is not given.

    Raises:
        ModelError: the bundle has no such graph.
        SettingError: there is no such backend, or it does not compute in this precision.
        BackendError: the runtime is not there, or refuses the graph.
    """
    _need_backend(backend)
    cache = cache or Cache()
    if backend == "auto" or precision is None or (backend == "tensorrt" and bundle.runs(graph_name) != "frame"):
        choice = choose(bundle, graph_name, backend, precision, threads, cache=cache)
        backend, precision = choice.backend, choice.precision
    if backend == "openvino":
        if precision not in COMPUTED:
            raise SettingError(f"openvino: precision must be one of {', '.join(COMPUTED)}, got {precision}")
        graph = bundle.graph(graph_name, COMPUTED[precision][0])
        return OpenVinoSession(graph, precision=precision, threads=threads, batch=batch, cache=cache.place("openvino"))
    if backend == "tensorrt":
        return _on_tensorrt(bundle, graph_name, precision, threads, batch, cache)
    if backend in ADDED:
        return _added(backend)(bundle.graph(graph_name, precision), threads=threads, batch=batch)
    place = cache.place(backend) if backend == "onnxruntime-tensorrt" else None
    graph = bundle.graph(graph_name, precision)
    return OnnxRuntimeSession(graph, threads=threads, batch=batch, backend=backend, cache=place)


def _on_tensorrt(
    bundle: Bundle, graph_name: str, precision: str, threads: int, batch: int, cache: Cache
) -> GraphSession:
    """A session on the cached engine; without one, on ONNX Runtime until the engine is built in the background."""
    try:
        from mien.device.cuda import this_gpu
        from mien.runtime.tensorrt.run import TensorRtSession
    except ImportError as error:
        raise BackendError(
            f"tensorrt: expected TensorRT and CuPy, got none ({error}); pip install 'mien[gpu]'"
        ) from error
    from mien.runtime.tensorrt.engines import BackgroundBuild, kept_engine
    from mien.runtime.tensorrt.switching import SwitchingSession

    def load(plan: bytes) -> GraphSession:
        return TensorRtSession(graph, plan, batch=batch)

    graph, device = bundle.graph(graph_name, precision), this_gpu()
    kept = kept_engine(graph, batch, device, cache)
    if kept is not None:
        return load(kept)
    first = OnnxRuntimeSession(bundle.graph(graph_name), threads=threads, batch=batch)
    return SwitchingSession(first, BackgroundBuild(graph, batch, device, cache, _told), load)


def _added(backend: str) -> OpenGraph:
    found = plugins.added(GROUP, backend) if find_spec(backend) is not None else None
    if found is None:
        raise BackendError(f"{backend}: expected the package {backend}, got none; pip install 'mien[{backend}]'")
    return cast(OpenGraph, found)


def _told(phase: str, share: float) -> None:
    logger.info("tensorrt: building, %.0f %% (%s)", 100 * share, phase)


def _need_backend(backend: str) -> None:
    if backend not in BACKENDS:
        raise SettingError(f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}")


def _fastest_on_device(bundle: Bundle, graph_name: str, backend: str) -> str:
    if "fp16" not in bundle.precisions(graph_name) or (backend in ADDED and not _added(backend).has_gpu()):
        return "fp32"
    return "fp16"


def _first_that_opens(
    bundle: Bundle, graph_name: str, among: list[auto.Candidate], threads: int, cache: Cache
) -> Choice:
    notes = []
    for backend, precision in among:
        try:
            open_session(bundle, graph_name, backend, precision, threads, cache=cache).close()
        except BackendError as error:
            notes.append(str(error))
        else:
            return Choice(backend, precision, "exact; it runs once per portrait", notes=tuple(dict.fromkeys(notes)))
    raise BackendError("expected a runtime for the model, got none: " + "; ".join(dict.fromkeys(notes)))


def _onnxruntime(backend: str) -> Callable[[], str]:
    return lambda: onnxruntime.version(backend)


def _openvino() -> str:
    return f"{openvino.version()}, {'bf16' if openvino.has_bf16() else 'no bf16'}"


def _tensorrt() -> str:
    try:
        from mien.device.cuda import this_gpu
        from mien.runtime.tensorrt import build
    except ImportError as error:
        raise BackendError(f"tensorrt: it does not load ({error}); pip install 'mien[gpu]'") from error
    return f"{build.VERSION} on {this_gpu().name}"


def _of_package(backend: str) -> Callable[[], str]:
    """Its version, without loading it."""

    def look() -> str:
        try:
            return version_of(backend)
        except PackageNotFoundError as error:
            raise BackendError(
                f"{backend}: expected the package {backend}, got none; pip install 'mien[{backend}]'"
            ) from error

    return look


_LOOKS: Final[Mapping[str, Callable[[], str]]] = {
    **{backend: _onnxruntime(backend) for backend in onnxruntime.PROVIDERS},
    "openvino": _openvino,
    "tensorrt": _tensorrt,
    **{backend: _of_package(backend) for backend in ADDED},
}


def usable() -> tuple[dict[str, str], dict[str, str]]:
    """Runtimes that load, each with its own word on itself; and those that do not, each with cause and cure."""
    found, lacking = {}, {}
    for backend, look in _LOOKS.items():
        try:
            found[backend] = look()
        except BackendError as error:
            lacking[backend] = str(error)
    return found, lacking
