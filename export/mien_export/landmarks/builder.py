"""Puts together an ONNX graph, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from mien.manifest import TensorSpec
from mien_export.graphs.tracing import OPSET, checked

Array = NDArray[Any]
IR_VERSION: Final = 10
SMALL: Final = 64
"""Numbers up to which weights are kept as float32: as float16 they would take as many bytes with the cast."""


class Builder:
    """Nodes and weights of a graph; values are called by name."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._weights: dict[str, TensorProto] = {}
        self._count = 0

    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """Add a node and give the name of its (first) output."""
        self._count += 1
        names = [f"{kind.lower()}_{self._count}{'' if i == 0 else f'_{i}'}" for i in range(outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), names, f"node_{self._count}", **attributes))
        return names[0]

    def split(self, value: str, sizes: Sequence[int], axis: int) -> list[str]:
        """Parts of a value along an axis."""
        first = self.node("Split", value, self.constant(np.array(sizes, np.int64)), outputs=len(sizes), axis=axis)
        return [first, *(f"{first}_{i}" for i in range(1, len(sizes)))]

    def constant(self, values: Array) -> str:
        """The name of an array in the graph; equal ones are kept once."""
        tensor = numpy_helper.from_array(np.ascontiguousarray(values))
        for name, known in self._weights.items() if values.size <= SMALL else ():
            tensor.name = name
            if tensor == known:
                return name
        tensor.name = f"weight_{len(self._weights)}"
        self._weights[tensor.name] = tensor
        return tensor.name

    def weight(self, values: Array) -> str:
        """A float32 value of an array that is kept in its own precision."""
        if values.dtype != np.float16 or values.size <= SMALL:
            return self.constant(values.astype(np.float32) if values.dtype == np.float16 else values)
        return self.node("Cast", self.constant(values), to=TensorProto.FLOAT)

    def model(self, name: str, inputs: Sequence[TensorSpec], outputs: Sequence[tuple[TensorSpec, str]]) -> ModelProto:
        """The graph, checked; `outputs`: what leaves it, and the values that it is."""
        for spec, value in outputs:
            self._nodes.append(helper.make_node("Identity", [value], [spec.name], f"node_{spec.name}"))
        graph = helper.make_graph(
            self._nodes,
            f"mien-{name}",
            [_port(spec) for spec in inputs],
            [_port(spec) for spec, _ in outputs],
            list(self._weights.values()),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="mien")
        model.ir_version = IR_VERSION
        return checked(model)


def _port(spec: TensorSpec) -> ValueInfoProto:
    return helper.make_tensor_value_info(spec.name, TensorProto.FLOAT, list(spec.shape))
