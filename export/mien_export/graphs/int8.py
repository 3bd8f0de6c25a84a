"""INT8 quantisation of a graph, calibrated on real portraits: convolutions, sums, products and resizes.

Weights are symmetric, one scale per output channel; activations are unsigned with one scale and zero point per tensor,
so that what a ReLU leaves uses all 256 values and the ReLU itself vanishes into the rounding. Both ONNX Runtime and
OpenVINO then run every convolution in int8. Pictures and parsing maps were bytes before they were floats: with the
scales 1/128 and 1/255 what enters loses nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import ModelProto
from onnxruntime import quantization

from mien.manifest import Graph, TensorSpec
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_export.graphs.measure import Arrays, Example, Measure, ran
from mien_export.graphs.tidy import ending, plain
from mien_export.graphs.tracing import checked, quiet

OPERATORS: Final = ("Conv", "Add", "Mul", "Resize", "Relu")
"""What is quantised up to the last convolution. Convolutions alone would be slower: every sum between them would go to
float and back."""
MOVERS: Final = ("Concat", "Reshape", "Transpose")
"""What only moves values, and costs a way to float and back where it lies between convolutions."""
MOVING: Final = frozenset({"Concat", "SpaceToDepth", "AveragePool"})
"""Operators that leave the range of what they take."""
BYTES: Final = {(-1.0, 1.0): (-1.0, 127 / 128), (0.0, 1.0): (0.0, 1.0)}
"""What 256 bytes reach of the ranges that a manifest names."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Which convolutions stay in float32."""

    name: str
    exact: tuple[str, ...]
    """By how the names of their weights begin."""
    moving: tuple[str, ...] = ()
    """Of `MOVERS`, operators that are quantised, too."""


class Quantiser:
    """Knows the ranges of a model's tensors, and makes variants of it."""

    def __init__(self, model: ModelProto, specs: Iterable[TensorSpec], inputs: Iterable[Arrays]) -> None:
        """Runs `model` on all `inputs`, which are of these `specs`."""
        self._folder = tempfile.TemporaryDirectory(prefix="mien-int8-")
        self._source = Path(self._folder.name) / "float32.onnx"
        self._model = model
        onnx.save_model(model, self._source)
        self._ranges = self._calibrated(inputs)
        for name, (low, high) in _of_bytes(model, specs).items():
            if name in self._ranges:
                self._ranges[name] = quantization.calibrate.TensorData(lowest=np.float32(low), highest=np.float32(high))

    def __call__(self, variant: Variant) -> ModelProto:
        """The model in int8, checked."""
        convolutions = [node for node in self._model.graph.node if node.op_type == "Conv"]
        exact = [node.name for node in convolutions if node.input[1].startswith(variant.exact)]
        exact += [node.name for node in ending(self._model)]
        with quiet():
            quantiser = quantization.QDQQuantizer(
                onnx.load_model(self._source),
                per_channel=True,
                reduce_range=False,
                weight_qType=quantization.QuantType.QInt8,
                activation_qType=quantization.QuantType.QUInt8,
                tensors_range=self._ranges,
                nodes_to_quantize=[],
                nodes_to_exclude=exact,
                op_types_to_quantize=[*OPERATORS, *variant.moving],
                extra_options={"ActivationSymmetric": False},
            )
            quantiser.quantize_model()
            quantiser.model.topological_sort()
        return checked(plain(quantiser.model.model, self._model.graph.name))

    def close(self) -> None:
        """Remove what was written."""
        self._folder.cleanup()

    def _calibrated(self, inputs: Iterable[Arrays]) -> Any:
        with quiet():
            calibrator = quantization.create_calibrator(
                self._source,
                [*OPERATORS, *MOVERS],
                augmented_model_path=str(Path(self._folder.name) / "observed.onnx"),
                calibrate_method=quantization.CalibrationMethod.MinMax,
            )
            calibrator.collect_data(_Reader(iter(inputs)))
            return calibrator.compute_data()


def _of_bytes(model: ModelProto, specs: Iterable[TensorSpec]) -> dict[str, tuple[float, float]]:
    """Least and greatest value by name: of inputs that were bytes, and of what is only moved or averaged of them."""
    known = {spec.name: BYTES[spec.range] for spec in specs if spec.range in BYTES}
    for node in model.graph.node:
        ranges = {known.get(name) for name in node.input}
        if node.op_type in MOVING and len(ranges) == 1 and (only := ranges.pop()) is not None:
            known[node.output[0]] = only
    return known


class _Reader(quantization.CalibrationDataReader):  # type: ignore[misc]  # it has no types
    """Inputs one by one."""

    def __init__(self, inputs: Iterator[Arrays]) -> None:
        self._inputs = inputs

    def get_next(self) -> Arrays | None:
        return next(self._inputs, None)


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A variant with what it loses."""

    name: str
    model: ModelProto
    loss: float
    """By the family's measure, less than float32 has against the truth: of all its values the largest loss."""
    likeness: float
    """Of its results to those in float32, by the family's measure."""

    def told(self, measure: Measure) -> str:
        """In words."""
        loss, likeness = measure.told(self.loss), measure.told_likeness(self.likeness)
        return f"{self.name}: {loss} less than fp32 against the truth, {likeness} against fp32"


def chosen(
    model: ModelProto,
    graph: Graph,
    variants: Sequence[Variant],
    calibrating: Iterable[Example],
    testing: Iterable[Example],
    measure: Measure,
    threads: int,
    tell: Callable[[str], None],
) -> Choice:
    """The variant to keep, by `preferred`.

    Args:
        model: in float32, what `graph` says.
        variants: from the fastest to the most exact.
        calibrating: of portraits trained on.
        testing: of portraits not trained on; their truth is known.
        measure: the family's.
        tell: takes lines that say how it goes.
    """
    quantiser = Quantiser(model, graph.inputs, (example.inputs[graph.name] for example in calibrating))
    choices: list[Choice] = []
    try:
        unseen = list(testing)
        for variant in variants:
            quantised = quantiser(variant)
            got = _results(quantised, graph, unseen, threads)
            choices.append(Choice(variant.name, quantised, *_compared(got, unseen, graph.name, measure)))
            tell(f"int8, {choices[-1].told(measure)}, {len(unseen)} unseen portraits")
            if choices[-1].loss <= measure.enough:
                break
    finally:
        quantiser.close()
    kept = preferred(choices, measure.enough)
    tell(f"int8: kept {kept.name}")
    return kept


def preferred(choices: list[Choice], enough: float) -> Choice:
    """The first, which is the fastest, of those that lose at most `enough` more than the best does."""
    least = min(choice.loss for choice in choices)
    return next(choice for choice in choices if choice.loss <= least + enough)


def _results(model: ModelProto, graph: Graph, examples: Iterable[Example], threads: int) -> list[Arrays]:
    """Outputs of a model that takes and gives what `graph` does."""
    with tempfile.TemporaryDirectory(prefix="mien-int8-") as folder:
        path = Path(folder) / "int8.onnx"
        path.write_bytes(model.SerializeToString())
        session = OnnxRuntimeSession(replace(graph, path=path, precision="int8"), threads=threads)
        try:
            return [ran(session, example.inputs[graph.name]) for example in examples]
        finally:
            session.close()


def _compared(got: list[Arrays], examples: list[Example], graph: str, measure: Measure) -> tuple[float, float]:
    """(loss, likeness) as `Choice` has them."""
    exact = [dict(example.outputs[graph]) for example in examples]
    values, exactly = measure.to_truth(got, examples), measure.to_truth(exact, examples)
    assert values, "int8 is measured against the truth"
    losses = [best - own for own, best in zip(values, exactly, strict=True)]
    return max(losses), measure.likeness(got, exact)
