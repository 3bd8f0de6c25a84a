"""ONNX Runtime sessions: the numeric reference, with CUDA and TensorRT providers. The only file that imports it."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any, Final

from mien.errors import BackendError, in_one_line
from mien.manifest import Graph
from mien.runtime.session import Buffers, buffers

CPU: Final = "CPUExecutionProvider"
CUDA: Final = "CUDAExecutionProvider"
TENSORRT: Final = "TensorrtExecutionProvider"
PROVIDERS: Final = {
    "onnxruntime": (CPU,),
    "onnxruntime-cuda": (CUDA, CPU),
    "onnxruntime-tensorrt": (TENSORRT, CUDA, CPU),
}
"""Execution providers by backend; later ones run the operators that the first one cannot."""
INSTALL: Final = {
    "onnxruntime": "pip install 'mien[cpu]'",
    "onnxruntime-cuda": "pip install 'mien[gpu]'",
    "onnxruntime-tensorrt": "pip install 'mien[gpu]'",
}
_ERRORS_ONLY = 3


class OnnxRuntimeSession:
    """A graph in ONNX Runtime, with arrays bound once."""

    def __init__(
        self, graph: Graph, *, threads: int = 1, batch: int = 1, backend: str = "onnxruntime", cache: Path | None = None
    ) -> None:
        """Load the graph.

        Args:
            backend: one of `PROVIDERS`.
            cache: folder for engines that TensorRT builds; None: they are built every time.

        Raises:
            BackendError: ONNX Runtime or its provider is not there, or refuses the graph.
        """
        self.backend, self.precision, self.threads = backend, graph.precision, threads
        self._graph, self._batch = graph, batch
        library = _library(backend)
        try:
            self._session: Any = library.InferenceSession(
                graph.path,
                _options(library, threads, batch),
                providers=[(name, _provider_options(name, cache)) for name in PROVIDERS[backend]],
                enable_fallback=0,  # it would go on without the accelerator
                read_config_from_model=0,
            )
        except Exception as error:
            raise BackendError(f"{backend}: cannot load {graph.path} ({in_one_line(error)})") from error
        _need_provider(backend, self._session.get_providers())
        self._bind()

    def _bind(self) -> None:
        self.inputs: Buffers = buffers(self._graph.inputs, self._batch)
        self.outputs: Buffers = buffers(self._graph.outputs, self._batch)
        self._binding: Any = self._session.io_binding()
        for bind, arrays in ((self._binding.bind_input, self.inputs), (self._binding.bind_output, self.outputs)):
            for name, array in arrays.items():
                bind(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)

    def run(self) -> None:
        """Compute `outputs` from `inputs`."""
        self._session.run_with_iobinding(self._binding)

    def twin(self) -> OnnxRuntimeSession:
        """Another session on the same weights, with its own arrays; both may run at once."""
        twin = copy(self)
        twin._bind()
        return twin

    def close(self) -> None:
        """Free the runtime's memory."""
        self._binding = self._session = None


def version(backend: str) -> str:
    """Of the library, where it has what `backend` wants.

    Raises:
        BackendError: it has not.
    """
    return str(_library(backend).__version__)


def _library(backend: str) -> Any:
    try:
        import onnxruntime

        onnxruntime.disable_telemetry_events()  # for programs that loaded it before mien
        providers = onnxruntime.get_available_providers()
    except (ImportError, AttributeError) as error:
        raise BackendError(
            f"{backend}: onnxruntime does not load ({in_one_line(error)}); {INSTALL[backend]}"
        ) from error
    _need_provider(backend, providers)
    return onnxruntime


def _need_provider(backend: str, providers: list[str]) -> None:
    wanted = PROVIDERS[backend][0]
    if wanted not in providers:
        raise BackendError(
            f"{backend}: expected onnxruntime to have {wanted}, got {', '.join(providers)}; {INSTALL[backend]}, "
            "with a driver and CUDA libraries of the version that the wheel was made for"
        )


def _options(library: Any, threads: int, batch: int) -> Any:
    options = library.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = library.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = library.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _ERRORS_ONLY
    # threads that spin between frames take the processor from the other stages
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_free_dimension_override_by_name("batch", batch)
    return options


def _provider_options(provider: str, cache: Path | None) -> dict[str, str]:
    """No precision for TensorRT: its graph says what is computed in which."""
    if provider != TENSORRT or cache is None:
        return {}
    cache.mkdir(parents=True, exist_ok=True)
    return {
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(cache),
        "trt_timing_cache_enable": "True",
        "trt_timing_cache_path": str(cache),
    }
