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
from mien_export.graphs.measure import PEAK, PICTURES, Arrays, Example, Measure, psnr, ran
from mien_export.graphs.tracing import Traced, nested


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


Graph = Callable[[Arrays], Arrays]
COLUMNS: Final = ("graph", "runtime", "precision", "output", "max error", "mean error", "PSNR dB", "to truth")


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
    """Of what the family's measure is of: its value against the truth, such as PSNR in dB."""
    bounded: bool = True
    """Whether the manifest gives it a range; features have none."""


def compare(
    bundle: Bundle,
    examples: list[Example],
    threads: int,
    traced: Sequence[Traced] = (),
    measure: Measure = PICTURES,
) -> list[Row]:
    """All ways in which this machine can run the bundle's graphs, and torch where the networks are given.

    Args:
        examples: of the bundle's own reference.
        traced: the bundle's graphs as they were exported.
        measure: the family's, by which results are compared with the truth.

    Raises:
        BackendError: a runtime is not there or refuses a graph.
    """
    rows = []
    for runtime, precision, name, run, close in _ways(bundle, threads, traced):
        got = [run(example.inputs[name]) for example in examples]
        close()
        for spec in bundle.graph(name).outputs:
            rows.append(_row(name, runtime, precision, spec, got, examples, measure))
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


def _row(
    name: str,
    runtime: str,
    precision: str,
    spec: TensorSpec,
    got: list[Arrays],
    examples: list[Example],
    measure: Measure,
) -> Row:
    output, expected = spec.name, [example.outputs[name][spec.name] for example in examples]
    unit = float(np.std(expected)) if spec.range is None else 1.0
    peak = 1.0 if spec.range is None else spec.range[1] - spec.range[0]
    agreement = Agreement.of([arrays[output] / unit for arrays in got], [array / unit for array in expected], peak)
    truth = next(iter(measure.to_truth(got, examples)), None) if spec.role == measure.role else None
    return Row(name, runtime, precision, output, agreement, truth, spec.range is not None)


def _cells(row: Row) -> tuple[str, ...]:
    found = row.agreement
    truth = "" if row.truth is None else f"{row.truth:.3f}"
    errors = (f"{found.largest:.2e}", f"{found.mean:.2e}", f"{found.psnr:.1f}")
    return (row.graph, row.runtime, row.precision, row.output, *errors, truth)


GREY_LEVEL: Final = 1 / 128
"""Of pictures in -1..1."""
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


def beyond(bounds: Mapping[str, Bound], rows: Sequence[Row], measure: Measure = PICTURES) -> Iterator[str]:
    """What is out of its bounds, a line for each; `measure` as in `compare`."""
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
        if row.truth is not None and exact is not None and row.truth < exact - measure.most:
            expected, got = (measure.told(value) for value in (exact - measure.most, row.truth))
            yield f"{title}: expected at least {expected} against the truth, got {got}"


def reasons(bounds: Mapping[str, Bound], rows: Sequence[Row]) -> Iterator[str]:
    """Why the bounds of the precisions that were measured are what they are, a line for each."""
    for precision in dict.fromkeys(row.precision for row in rows):
        bound = bounds[precision]
        limits = [] if bound.psnr is None else [f"at least {bound.psnr:g} dB"]
        limits += [] if bound.largest is None else [f"errors up to {bound.largest:.2g}"]
        yield f"{precision}: {', '.join(limits) or 'measured against the truth'}; {bound.why}"
