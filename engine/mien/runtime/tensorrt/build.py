"""Builds TensorRT engines from ONNX graphs; works with TensorRT 10 and 11, types as in the graph."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import tensorrt as trt

from mien.errors import BackendError
from mien.manifest.onnx_file import read_onnx
from mien.runtime.tensorrt.engines import BuildProgress
from mien.runtime.tensorrt.precision import need_precision

logger = logging.getLogger(__name__)
VERSION: Final[str] = trt.__version__
LEVEL: Final = 3
"""Of optimisation, 0..5; 0 would not respect the timing cache."""
WORKSPACE: Final = 1 << 30
FLAGS: Final = ("STRONGLY_TYPED",)
"""By name: their numbers differ between 10 and 11, where this one is always on."""
SPADE: Final = ("mien", "SpadeModulate")
Shapes = Mapping[str, tuple[int, ...]]


class _Log(trt.ILogger):  # type: ignore[misc]
    """Adapter from TensorRT's logger to Python's."""

    _LEVELS: Final = {
        trt.ILogger.Severity.INTERNAL_ERROR: logging.ERROR,
        trt.ILogger.Severity.ERROR: logging.ERROR,
        trt.ILogger.Severity.WARNING: logging.WARNING,
        trt.ILogger.Severity.INFO: logging.DEBUG,
        trt.ILogger.Severity.VERBOSE: logging.DEBUG,
    }

    def __init__(self) -> None:
        trt.ILogger.__init__(self)
        self.last_error = ""

    def log(self, severity: Any, message: str) -> None:
        level = self._LEVELS.get(severity, logging.ERROR)
        if level == logging.ERROR:
            self.last_error = " ".join(message.split())
        logger.log(level, "%s", message)


class _Monitor(trt.IProgressMonitor):  # type: ignore[misc]
    """Adapter of TensorRT's progress monitor."""

    def __init__(self, progress: BuildProgress) -> None:
        trt.IProgressMonitor.__init__(self)
        self._progress = progress

    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        self._progress.begin(phase_name, parent_phase, num_steps)

    def step_complete(self, phase_name: str, step: int) -> bool:
        return self._progress.step(phase_name, step)

    def phase_finish(self, phase_name: str) -> None:
        self._progress.end(phase_name)


@dataclass(frozen=True, slots=True)
class Built:
    """Result of a build."""

    plan: bytes
    timing_cache: bytes
    """To be handed to the next build on this device."""


@cache
def log() -> Any:
    """The one logger; TensorRT wants it alive as long as anything of its."""
    return _Log()


def build(content: bytes, precision: str, shapes: Shapes, timing_cache: bytes, progress: BuildProgress) -> Built:
    """Build an engine for fixed shapes. Takes minutes.

    Args:
        content: of the ONNX file.
        precision: the graph's, to be found again in the engine.
        shapes: of every input.
        timing_cache: of an earlier build on this device; empty: none.

    Raises:
        BackendError: the graph cannot be parsed or built, the build was stopped, or the precision did not get in.
    """
    builder = trt.Builder(log())
    network = builder.create_network(sum(1 << int(getattr(trt.NetworkDefinitionCreationFlag, name)) for name in FLAGS))
    _parse(network, content)
    config = _config(builder, shapes)
    monitor = _Monitor(progress)
    config.progress_monitor = monitor
    timings = _timing_cache(config, timing_cache)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        reason = "it was stopped" if progress.stopped else log().last_error or "see the log"
        raise BackendError(f"tensorrt: the engine was not built: {reason}")
    plan = bytes(plan)
    need_precision(information(load(plan)), precision)
    return Built(plan, bytes(timings.serialize()))


def load(plan: bytes) -> Any:
    """The engine of a plan.

    Raises:
        BackendError: it is of another TensorRT, another GPU, or broken.
    """
    engine = _runtime().deserialize_cuda_engine(plan)
    if engine is None:
        raise BackendError(f"tensorrt: the engine does not load: {log().last_error or 'see the log'}")
    return engine


def information(engine: Any) -> str:
    """What the inspector tells of the engine's layers, as JSON."""
    told: str = engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON)
    return told


def plugin_image(content: bytes) -> bytes:
    """The compiled kernel that an engine of this graph will carry; empty where it needs or has none.

    Where the graph has SPADE nodes and this build of mien has their kernel, the plug-in is made known to TensorRT;
    otherwise the nodes' own function body is built.
    """
    if SPADE not in read_onnx(content).operators:
        return b""
    from mien.runtime.tensorrt import spade_plugin

    try:
        spade_plugin.register()
    except BackendError as error:
        logger.warning("%s", error)
        return b""
    return spade_plugin.kernel_image()


@cache
def _runtime() -> Any:
    return trt.Runtime(log())


def _parse(network: Any, content: bytes) -> None:
    parser = trt.OnnxParser(network, log())
    if not parser.parse(content):
        errors = "; ".join(parser.get_error(index).desc() for index in range(parser.num_errors))
        raise BackendError(f"tensorrt: the graph cannot be parsed: {' '.join(errors.split()) or 'see the log'}")


def _config(builder: Any, shapes: Shapes) -> Any:
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE)
    config.builder_optimization_level = LEVEL
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    profile = builder.create_optimization_profile()
    for name, shape in shapes.items():
        profile.set_shape(name, shape, shape, shape)
    if config.add_optimization_profile(profile) < 0:
        raise BackendError(f"tensorrt: the shapes {dict(shapes)} do not fit the graph")
    return config


def _timing_cache(config: Any, content: bytes) -> Any:
    """The cache in use; one that does not fit this device is left out. To be kept alive until all is built."""
    for candidate in (content, b""):
        timings = config.create_timing_cache(candidate)
        if timings is not None and config.set_timing_cache(timings, False):
            return timings
    raise BackendError("tensorrt: no timing cache can be made; see the log")
