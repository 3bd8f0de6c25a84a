"""OpenVINO sessions: fast on x86 processors, in bf16 or int8 where available. The only file that imports it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext
from copy import copy
from pathlib import Path
from typing import Any, Final

from mien.errors import BackendError, in_one_line
from mien.manifest import Graph
from mien.runtime.cache import alone
from mien.runtime.session import Buffers, buffers, is_channels_last, nhwc_view

INSTALL: Final = "pip install 'mien[cpu]'"
COMPUTED: Final = {"fp32": ("fp32", "f32"), "bf16": ("fp32", "bf16"), "fp16": ("fp16", "f32")} | {
    "int8": ("int8", "f32"),
    "int8+bf16": ("int8", "bf16"),
}
"""(the graph's precision, the hint for what is not quantised) by the precision that a session is asked for."""


class OpenVinoSession:
    """A graph in OpenVINO's CPU plug-in, its arrays shared with it."""

    backend = "openvino"

    def __init__(
        self, graph: Graph, *, precision: str, threads: int = 1, batch: int = 1, cache: Path | None = None
    ) -> None:
        """Compile the graph for this processor.

        Args:
            graph: in the precision that `COMPUTED` names for `precision`.
            precision: one of `COMPUTED`.
            cache: folder for compiled graphs; None: it is compiled every time.

        Raises:
            BackendError: OpenVINO is not there, refuses the graph, or this processor has no bf16.
        """
        self.precision, self.threads = precision, threads
        self._graph, self._batch = graph, batch
        library, hint = _library(), COMPUTED[precision][1]
        core = library.Core()
        if hint == "bf16" and not _has_bf16(core):
            raise BackendError("openvino: expected a processor with bf16 instructions, got none here; use fp32 or int8")
        try:
            model = core.read_model(graph.path)
            model.reshape({tensor.name: list(tensor.sized(batch)) for tensor in graph.inputs})
            self._last = frozenset(tensor.name for tensor in graph.inputs if is_channels_last(tensor))
            turned = _channels_last(model, self._last)
            with alone(cache) if cache is not None else nullcontext(False) as cached:
                kept = cache if cached else None
                self._compiled: Any = core.compile_model(turned, "CPU", _properties(hint, threads, kept))
            self._bind()
        except Exception as error:
            raise BackendError(f"openvino: cannot load {graph.path} ({in_one_line(error)})") from error

    def _bind(self) -> None:
        library = _library()
        self.inputs: Buffers = buffers(self._graph.inputs, self._batch, self._last)
        self.outputs: Buffers = buffers(self._graph.outputs, self._batch)
        self._request: Any = self._compiled.create_infer_request()
        for name, array in {**self.inputs, **self.outputs}.items():
            bound = nhwc_view(array) if name in self._last else array
            self._request.set_tensor(name, library.Tensor(bound, shared_memory=True))

    def run(self) -> None:
        """Compute `outputs` from `inputs`."""
        self._request.infer(share_outputs=True)

    def twin(self) -> OpenVinoSession:
        """Another one on the same compiled graph, with arrays of its own; both may be asked to run at once."""
        twin = copy(self)
        twin._bind()
        return twin

    def close(self) -> None:
        """Free the runtime's memory."""
        self._request = self._compiled = None


def has_bf16() -> bool:
    """Whether this processor computes in bf16.

    Raises:
        BackendError: OpenVINO is not there.
    """
    return _has_bf16(_library().Core())


def version() -> str:
    """Of the library.

    Raises:
        BackendError: OpenVINO is not there.
    """
    return str(_library().__version__).partition("-")[0]


def _channels_last(model: Any, names: Collection[str]) -> Any:
    """The model with these inputs in channels-last order, as the plug-in's convolutions and the warp use them."""
    if not names:
        return model
    from openvino import Layout
    from openvino.preprocess import PrePostProcessor

    turned = PrePostProcessor(model)
    for name in names:
        turned.input(name).tensor().set_layout(Layout("NHWC"))
        turned.input(name).model().set_layout(Layout("NCHW"))
    return turned.build()


def _has_bf16(core: Any) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _library() -> Any:
    try:
        import openvino
    except ImportError as error:
        raise BackendError(f"openvino: it does not load ({in_one_line(error)}); {INSTALL}") from error
    return openvino


def _properties(hint: str, threads: int, cache: Path | None) -> dict[str, Any]:
    properties = {
        "INFERENCE_PRECISION_HINT": hint,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,  # other stages share the processors
    }
    return properties if cache is None else properties | {"CACHE_DIR": str(cache)}
