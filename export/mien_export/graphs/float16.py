"""Conversion of float32 graphs to float16, for TensorRT, which computes in the types of the graph.

Inputs and outputs stay float32, as the kernels before and after the graph have them. So do the graph's ending, after
its last convolutions, and the operators of `EXACT`, which add up hundreds of values. `mien.SpadeModulate` casts inside
of itself: its statistics are float32 in any graph.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from mien.errors import ModelError
from mien.manifest import Bundle, Graph, write_manifest
from mien_export.graphs.half_weights import with_full_weights
from mien_export.graphs.tidy import ending
from mien_export.graphs.tracing import checked

EXACT: Final = frozenset({"AveragePool", "InstanceNormalization"})
"""Operators that compute in float32 wherever they stand."""
MOST_WEIGHT: Final = 1024.0
"""Largest magnitude of a weight: sums of products of what is larger come near to float16's 65504."""
_WEIGHED: Final = frozenset({"Conv", "ConvTranspose"})
"""Operators whose inputs after the first are weights, which are kept in float16; other constants are cast."""
_TYPED: Final = {"Resize": 1}
"""How many inputs of an operator have the type of what it computes, where not all: scales are always float32."""
_SUFFIX: Final[dict[int, str]] = {TensorProto.FLOAT: "float32", TensorProto.FLOAT16: "float16"}


def halved(model: ModelProto) -> ModelProto:
    """A copy of a float32 model, its weights in float32 or float16, that computes in float16.

    Raises:
        ModelError: a weight is so large that float16 is not safe.
    """
    out = with_full_weights(model)
    _halve_weights(out)
    kinds = {value.name: TensorProto.FLOAT for value in out.graph.input}
    kinds |= {tensor.name: tensor.data_type for tensor in out.graph.initializer if tensor.data_type in _SUFFIX}
    nodes: list[NodeProto] = []
    casts: dict[tuple[str, int], str] = {}

    def wanted(name: str, kind: int) -> str:
        """The name under which the value `name` is had in a type; a cast is put in where there is none yet."""
        if kinds.get(name, kind) == kind:
            return name
        if (name, kind) not in casts:
            casts[name, kind] = f"{name}.{_SUFFIX[kind]}"
            nodes.append(helper.make_node("Cast", [name], [casts[name, kind]], f"cast_{casts[name, kind]}", to=kind))
        return casts[name, kind]

    ends = {value.name for value in out.graph.output}
    exact = {name for node in ending(out) for name in node.output}
    for node in out.graph.node:
        is_exact = node.op_type in EXACT or node.output[0] in exact
        kind = TensorProto.FLOAT if is_exact else TensorProto.FLOAT16
        typed = _TYPED.get(node.op_type, len(node.input))
        node.input[:] = [*(wanted(name, kind) for name in node.input[:typed]), *node.input[typed:]]
        nodes.append(node)
        for i, name in enumerate(node.output):
            if name in ends and kind == TensorProto.FLOAT16:
                node.output[i] = f"{name}.{_SUFFIX[kind]}"
                nodes.append(helper.make_node("Cast", [node.output[i]], [name], f"cast_{name}", to=TensorProto.FLOAT))
                kinds[name], casts[name, kind] = TensorProto.FLOAT, node.output[i]
            kinds[node.output[i]] = kind
    del out.graph.node[:]
    out.graph.node.extend(nodes)
    return out


def _halve_weights(model: ModelProto) -> None:
    weights = {name for node in model.graph.node if node.op_type in _WEIGHED for name in node.input[1:]}
    for tensor in model.graph.initializer:
        if tensor.name in weights:
            values = numpy_helper.to_array(tensor)
            if not np.abs(values).max(initial=0) <= MOST_WEIGHT:
                raise ModelError(
                    f"{model.graph.name}, {tensor.name}: expected weights up to {MOST_WEIGHT:g}, got "
                    f"{np.abs(values).max():g}, too large for float16; export fp32 and int8 only"
                )
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), tensor.name))


def with_float16(bundle: Bundle, folder: Path) -> Bundle:
    """Write the bundle into an empty folder, with its graphs in float16 besides; those that were there are made anew.

    Raises:
        ModelError: a weight is too large for float16.
    """
    kept = [graph for graph in bundle.graphs if graph.precision != "fp16"]
    graphs = [replace(graph, path=Path(shutil.copyfile(graph.path, folder / graph.path.name))) for graph in kept]
    graphs += [_halved(graph, folder) for graph in kept if graph.precision == "fp32"]
    return write_manifest(replace(bundle, folder=folder, graphs=tuple(graphs)), folder)


def _halved(graph: Graph, folder: Path) -> Graph:
    model = checked(halved(onnx.load(graph.path)))
    path = folder / f"{graph.name}.fp16.onnx"
    path.write_bytes(model.SerializeToString(deterministic=True))
    return replace(graph, precision="fp16", path=path, sha256="")
