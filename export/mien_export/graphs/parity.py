"""Parity: differences of runtimes and precisions from float32 in ONNX Runtime, on real inputs, with bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from mien.manifest import Bundle, TensorSpec
from mien.manifest import Graph as ManifestGraph
from mien.manifest.onnx_file import read_onnx
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien.runtime.openvino import COMPUTED, OpenVinoSession, has_bf16
from mien.runtime.session import GraphSession
from mien_export.graphs.tracing import Traced, nested

Floats = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]

PEAK = 2.0
"""Of pictures in -1..1."""
MOST_DB = 200.0
"""Stands for equality."""


def psnr(a: NDArray[Any], b: NDArray[Any], peak: float = PEAK) -> float:
    """Peak signal-to-noise ratio in dB of arrays of one shape, `MOST_DB` at most."""
    error = float(np.mean(np.square(np.subtract(a, b, dtype=np.float64))))
    return MOST_DB if error == 0 else min(float(10 * np.log10(peak**2 / error)), MOST_DB)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Errors over several pairs of arrays, in the arrays' units."""

    largest: float
    mean: float
    psnr: float
    """Mean over the pairs, dB."""

    @classmethod
    def of(cls, got: list[NDArray[Any]], expected: list[NDArray[Any]], peak: float = PEAK) -> Agreement:
        """Between results and what they should be."""
        errors = [np.abs(np.subtract(a, b, dtype=np.float64)) for a, b in zip(got, expected, strict=True)]
        return cls(
            largest=max(float(error.max()) for error in errors),
            mean=float(np.mean([error.mean() for error in errors])),
            psnr=float(np.mean([psnr(a, b, peak) for a, b in zip(got, expected, strict=True)])),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One sample as the reference has it. Arrays are float32, of a batch of 1, by the names in the manifest."""

    inputs: Mapping[str, Arrays]
    """Of each graph, by its name."""
    outputs: Mapping[str, Arrays]
    """What the reference gives for them."""
    truth: Floats | None = None
    """(1, 3, h, w) in -1..1: what should be shown; None: nobody knows."""
    under: Floats | None = None
    """(1, 3, h, w): the warped portrait, which is shown where a mask is 1."""

    def shown(self, painted: Arrays) -> Floats:
        """(1, 3, h, w): a graph's `generated`, fused with what is under it by its `mask`, if it has one (eq. 3.16)."""
        generated: Floats = painted["generated"]
        if self.under is None or "mask" not in painted:
            return generated
        return np.asarray(generated + (self.under - generated) * painted["mask"], dtype=np.float32)


def ran(session: GraphSession, inputs: Arrays) -> Arrays:
    """Outputs of a session for these inputs, of their own memory."""
    for name, array in session.inputs.items():
        array[...] = inputs[name]
    session.run()
    return {name: array.astype(np.float32) for name, array in session.outputs.items()}


Graph = Callable[[Arrays], Arrays]
COLUMNS: Final = ("graph", "runtime", "precision", "output", "max error", "mean error", "PSNR dB", "to truth dB")


@dataclass(frozen=True, slots=True)
class Row:
    """One output of one graph, computed in one way."""

    graph: str
    runtime: str
    precision: str
    output: str
    agreement: Agreement
    """With the reference. Features are divided by the reference's standard deviation, and their peak is 1."""
    truth: float | None = None
    """Of painted pictures: PSNR in dB of what is shown against the photograph."""
    bounded: bool = True
    """Whether the manifest gives it a range; features have none."""


def compare(bundle: Bundle, examples: list[Example], threads: int, traced: Sequence[Traced] = ()) -> list[Row]:
    """All ways in which this machine can run the bundle's graphs, and torch where the networks are given.

    Args:
        examples: of the bundle's own reference.
        traced: the bundle's graphs as they were exported.

    Raises:
        BackendError: a runtime is not there or refuses a graph.
    """
    rows = []
    for runtime, precision, name, run, close in _ways(bundle, threads, traced):
        got = [run(example.inputs[name]) for example in examples]
        close()
        for spec in bundle.graph(name).outputs:
            rows.append(_row(name, runtime, precision, spec, got, examples))
    return rows


def table(rows: list[Row]) -> str:
    """The rows as text."""
    cells = [COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def _ways(
    bundle: Bundle, threads: int, traced: Sequence[Traced]
) -> Iterator[tuple[str, str, str, Graph, Callable[[], None]]]:
    """(runtime, precision, graph, how to run it, how to end it)."""
    for graph in traced:
        yield "torch", "fp32", graph.name, _module(graph), _nothing
    for name in dict.fromkeys(graph.name for graph in bundle.graphs):
        for precision in bundle.precisions(name):
            session: GraphSession = OnnxRuntimeSession(bundle.graph(name, precision), threads=threads)
            yield "onnxruntime", precision, name, *_run_and_close(session)
        for computed, (precision, hint) in COMPUTED.items():
            if precision not in bundle.precisions(name) or _has_functions(bundle.graph(name, precision)):
                continue
            if hint != "bf16" or has_bf16():
                session = OpenVinoSession(bundle.graph(name, precision), precision=computed, threads=threads)
                yield "openvino", computed, name, *_run_and_close(session)


def _has_functions(graph: ManifestGraph) -> bool:
    """Which OpenVINO does not convert."""
    return bool(read_onnx(graph.path.read_bytes()).functions)


def _run_and_close(session: GraphSession) -> tuple[Graph, Callable[[], None]]:
    return lambda inputs: ran(session, inputs), session.close


def _nothing() -> None: ...


def _module(traced: Traced) -> Graph:
    """The network as it was trained, nothing folded."""
    module = traced.module if traced.plain is None else traced.plain

    @torch.inference_mode()
    def run(inputs: Arrays) -> Arrays:
        given = [torch.from_numpy(inputs[spec.name]) for spec in traced.inputs]
        results = module(*nested(given, traced.inputs))
        results = (results,) if isinstance(results, torch.Tensor) else results
        return {spec.name: result.numpy() for spec, result in zip(traced.outputs, results, strict=True)}

    return run


def _row(name: str, runtime: str, precision: str, spec: TensorSpec, got: list[Arrays], examples: list[Example]) -> Row:
    output, expected = spec.name, [example.outputs[name][spec.name] for example in examples]
    unit = float(np.std(expected)) if spec.range is None else 1.0
    peak = 1.0 if spec.range is None else spec.range[1] - spec.range[0]
    agreement = Agreement.of([arrays[output] / unit for arrays in got], [array / unit for array in expected], peak)
    truth = _to_truth(got, examples) if spec.role == "generated" else None
    return Row(name, runtime, precision, output, agreement, truth, spec.range is not None)


def _to_truth(painted: list[Arrays], examples: list[Example]) -> float | None:
    """Mean PSNR in dB of what is shown; None where no truth is known."""
    pairs = zip(painted, examples, strict=True)
    found = [psnr(example.shown(own), example.truth) for own, example in pairs if example.truth is not None]
    return float(np.mean(found)) if found else None


def _cells(row: Row) -> tuple[str, ...]:
    found = row.agreement
    truth = "" if row.truth is None else f"{row.truth:.3f}"
    errors = (f"{found.largest:.2e}", f"{found.mean:.2e}", f"{found.psnr:.1f}")
    return (row.graph, row.runtime, row.precision, row.output, *errors, truth)


GREY_LEVEL: Final = 1 / 128
"""Of pictures in -1..1."""
MOST_LOSS: Final = 0.5
"""Decibels that a reduced precision may lose against float32, for the engine to choose it by itself."""
FEATURES: Final = 6.0
"""Decibels by which features may be farther than pictures: their peaks are not as far from their spread."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Of what a graph gives, beside float32 in ONNX Runtime."""

    psnr: float | None
    """Decibels at least; None: what counts is the truth."""
    largest: float | None
    """Error of a painted picture or mask at most, in units of -1..1; None: not bounded."""
    why: str


def beyond(bounds: Mapping[str, Bound], rows: Sequence[Row]) -> Iterator[str]:
    """What is out of its bounds, a line for each."""
    exact = next(
        (row.truth for row in rows if row.runtime == "onnxruntime" and row.precision == "fp32" and row.truth), None
    )
    for row in rows:
        bound = bounds[row.precision]
        title = f"{row.runtime} {row.precision}, {row.graph} {row.output}"
        least = None if bound.psnr is None else bound.psnr - (0 if row.bounded else FEATURES)
        if least is not None and row.agreement.psnr < least:
            yield f"{title}: expected at least {least:g} dB, got {row.agreement.psnr:.1f}"
        if row.bounded and bound.largest is not None and row.agreement.largest > bound.largest:
            yield f"{title}: expected errors up to {bound.largest:.2g}, got {row.agreement.largest:.2g}"
        if row.truth is not None and exact is not None and row.truth < exact - MOST_LOSS:
            yield f"{title}: expected at least {exact - MOST_LOSS:.2f} dB against the truth, got {row.truth:.2f}"


def reasons(bounds: Mapping[str, Bound], rows: Sequence[Row]) -> Iterator[str]:
    """Why the bounds of the precisions that were measured are what they are, a line for each."""
    for precision in dict.fromkeys(row.precision for row in rows):
        bound = bounds[precision]
        limits = [] if bound.psnr is None else [f"at least {bound.psnr:g} dB"]
        limits += [] if bound.largest is None else [f"errors up to {bound.largest:.2g}"]
        yield f"{precision}: {', '.join(limits) or 'measured against the truth'}; {bound.why}"
