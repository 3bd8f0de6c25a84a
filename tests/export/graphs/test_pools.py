from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator

from mien.manifest import Bundle
from mien_export.graphs.tidy import cascade_pools


def pool(cell: int, name: str, stride: int | None = None, source: str = "x") -> NodeProto:
    return helper.make_node(
        "AveragePool", [source], [name], name, kernel_shape=[cell, cell], strides=[stride or cell] * 2
    )


def model(*nodes: NodeProto) -> ModelProto:
    shape = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 16, 16])
    outputs = [helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, [1, 2, "h", "w"]) for node in nodes]
    return helper.make_model(
        helper.make_graph(nodes, "pools", [shape], outputs), opset_imports=[helper.make_opsetid("", 18)], ir_version=10
    )


@pytest.mark.parametrize("cells", [(8, 4, 2), (2, 8), (4,), (3, 2), (4, 6, 2)])
def test_means_of_means_are_the_means(cells: tuple[int, ...]) -> None:
    plain = model(*(pool(cell, f"p{cell}") for cell in cells))
    changed = ModelProto()
    changed.CopyFrom(plain)
    cascade_pools(changed)
    onnx.checker.check_model(changed)
    x = {"x": np.random.default_rng(0).uniform(size=(1, 2, 16, 16)).astype(np.float32)}
    for got, expected in zip(*(ReferenceEvaluator(m).run(None, x) for m in (changed, plain)), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_pools_that_overlap_or_follow_are_left() -> None:
    plain = model(pool(3, "over", stride=1), pool(2, "two"), pool(4, "after", source="two"))
    changed = ModelProto()
    changed.CopyFrom(plain)
    cascade_pools(changed)
    nodes = {node.name: node for node in changed.graph.node}
    assert all(nodes[node.name] == node for node in plain.graph.node)


def test_only_one_pool_reads_the_parsing_map(bundle: Bundle) -> None:
    pools = [n for n in onnx.load_model(bundle.graph("generator").path).graph.node if n.op_type == "AveragePool"]
    assert len(pools) == 2, "the finest level takes the map as it comes"
    assert [node.input[0] for node in pools].count("parsing") == 1
