"""Weights of float32 graphs that are kept in float16: half the file.

What is computed stays float32: a Cast follows each of them, which runtimes compute once, as they open the graph.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from mien.manifest import Bundle, Graph, write_manifest
from mien_export.graphs.tracing import checked

LEAST: Final = 256
"""Numbers below which weights stay float32."""
WEIGHED: Final = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})


def with_half_weights(model: ModelProto) -> ModelProto:
    """A copy, checked. Weights whose float16 would be infinite stay."""
    out = ModelProto()
    out.CopyFrom(model)
    weighed = {name for node in out.graph.node if node.op_type in WEIGHED for name in node.input[1:2]}
    casts = []
    for tensor in out.graph.initializer:
        if tensor.name in weighed and tensor.data_type == TensorProto.FLOAT:
            values = numpy_helper.to_array(tensor)
            if values.size >= LEAST and np.abs(values).max() < np.finfo(np.float16).max:
                name = tensor.name
                tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
                casts.append(helper.make_node("Cast", [tensor.name], [name], f"cast_{name}", to=TensorProto.FLOAT))
    nodes = [*casts, *out.graph.node]
    del out.graph.node[:]
    out.graph.node.extend(nodes)
    return checked(out)


def with_full_weights(model: ModelProto) -> ModelProto:
    """A copy whose weights are float32 again, under the names that `with_half_weights` found them by."""
    out = ModelProto()
    out.CopyFrom(model)
    uses = Counter(name for node in out.graph.node for name in node.input)
    halves = {
        tensor.name: tensor
        for tensor in out.graph.initializer
        if tensor.data_type == TensorProto.FLOAT16 and uses[tensor.name] == 1
    }
    for node in [node for node in out.graph.node if node.op_type == "Cast" and node.input[0] in halves]:
        if node.attribute[0].i == TensorProto.FLOAT:
            tensor = halves[node.input[0]]
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), node.output[0]))
            out.graph.node.remove(node)
    return out


def write_halved(bundle: Bundle, folder: Path) -> Bundle:
    """Write the bundle into an empty folder, its float32 graphs with weights in float16, the others as they are."""
    return write_manifest(replace(bundle, graphs=tuple(_written(graph, folder) for graph in bundle.graphs)), folder)


def _written(graph: Graph, folder: Path) -> Graph:
    path = folder / graph.path.name
    content = graph.path.read_bytes()
    if graph.precision == "fp32":
        model = with_half_weights(onnx.load_from_string(content))
        content = model.SerializeToString(deterministic=True)
    path.write_bytes(content)
    return replace(graph, path=path, sha256="")
