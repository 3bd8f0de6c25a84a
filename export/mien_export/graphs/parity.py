"""How far runtimes and precisions are from the reference, float32 in ONNX Runtime, on real inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from mien.manifest import Bundle
from mien.manifest import Graph as ManifestGraph
from mien.manifest.onnx_file import read_onnx
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien.runtime.openvino import COMPUTED, OpenVinoSession, has_bf16
from mien.runtime.session import Session
from mien_export.graphs.agreement import Agreement, psnr
from mien_export.graphs.reference import Arrays, Example, ran
from mien_export.graphs.traced import Traced
from mien_export.graphs.tracing import nested
from mien_export.graphs.trained import Trained

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


def compare(bundle: Bundle, examples: list[Example], threads: int, trained: Trained | None = None) -> list[Row]:
    """All ways in which this machine can run the bundle's graphs, and torch where the networks are given.

    Args:
        examples: of the bundle's own reference.

    Raises:
        BackendError: a runtime is not there or refuses a graph.
    """
    rows = []
    for runtime, precision, name, run, close in _ways(bundle, threads, trained):
        inputs, expected = _sides(name, examples)
        got = [run(arrays) for arrays in inputs]
        close()
        rows += [_row(name, runtime, precision, output, got, expected, examples) for output in expected[0]]
    return rows


def table(rows: list[Row]) -> str:
    """The rows as text."""
    cells = [COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def _ways(
    bundle: Bundle, threads: int, trained: Trained | None
) -> Iterator[tuple[str, str, str, Graph, Callable[[], None]]]:
    """(runtime, precision, graph, how to run it, how to end it)."""
    if trained is not None:
        for name, graph in _in_torch(trained).items():
            yield "torch", "fp32", name, graph, _nothing
    for name in ("appearance", "generator"):
        for precision in bundle.precisions(name):
            yield (
                "onnxruntime",
                precision,
                name,
                *_session(OnnxRuntimeSession(bundle.graph(name, precision), threads=threads)),
            )
        for computed, (precision, hint) in COMPUTED.items():
            if precision not in bundle.precisions(name) or _has_functions(bundle.graph(name, precision)):
                continue
            if hint != "bf16" or has_bf16():
                yield (
                    "openvino",
                    computed,
                    name,
                    *_session(OpenVinoSession(bundle.graph(name, precision), precision=computed, threads=threads)),
                )


def _has_functions(graph: ManifestGraph) -> bool:
    """Which OpenVINO does not convert."""
    return bool(read_onnx(graph.path.read_bytes()).functions)


def _session(session: Session) -> tuple[Graph, Callable[[], None]]:
    return lambda inputs: ran(session, inputs), session.close


def _nothing() -> None: ...


def _in_torch(trained: Trained) -> dict[str, Graph]:
    """The networks as they were trained, nothing folded."""
    return {traced.name: _module(traced) for traced in trained.plain_graphs()}


def _module(traced: Traced) -> Graph:
    @torch.inference_mode()
    def run(inputs: Arrays) -> Arrays:
        given = [torch.from_numpy(inputs[spec.name]) for spec in traced.inputs]
        results = traced.module(*nested(given, traced.inputs))
        return {spec.name: result.numpy() for spec, result in zip(traced.outputs, results, strict=True)}

    return run


def _sides(name: str, examples: list[Example]) -> tuple[list[Arrays], list[Arrays]]:
    """What a graph takes and what the reference gives for it."""
    if name == "appearance":
        return [e.appearance for e in examples], [e.features for e in examples]
    return [e.generator for e in examples], [e.painted for e in examples]


def _row(
    name: str,
    runtime: str,
    precision: str,
    output: str,
    got: list[Arrays],
    expected: list[Arrays],
    examples: list[Example],
) -> Row:
    unit = float(np.std([arrays[output] for arrays in expected])) if name == "appearance" else 1.0
    peak = 2.0 if output == "generated" else 1.0
    agreement = Agreement.of([a[output] / unit for a in got], [a[output] / unit for a in expected], peak)
    if output != "generated":
        return Row(name, runtime, precision, output, agreement)
    truths = [psnr(example.shown(own), example.truth) for own, example in zip(got, examples, strict=True)]
    return Row(name, runtime, precision, output, agreement, float(np.mean(truths)))


def _cells(row: Row) -> tuple[str, ...]:
    found = row.agreement
    truth = "" if row.truth is None else f"{row.truth:.3f}"
    errors = (f"{found.largest:.2e}", f"{found.mean:.2e}", f"{found.psnr:.1f}")
    return (row.graph, row.runtime, row.precision, row.output, *errors, truth)
