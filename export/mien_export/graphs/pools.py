"""Averages over ever larger cells, each from the one before instead of from the picture."""

from __future__ import annotations

from collections import defaultdict

from onnx import ModelProto, NodeProto, helper


def cascade_pools(model: ModelProto) -> None:
    """Let each average pool of an input take the next finer one of the same input. The mean of means is the mean.

    Four pools of a parsing map then read it once instead of four times.
    """
    inputs = {value.name for value in model.graph.input}
    groups: dict[str, list[NodeProto]] = defaultdict(list)
    for node in model.graph.node:
        if node.op_type == "AveragePool" and node.input[0] in inputs and _cell(node) is not None:
            groups[node.input[0]].append(node)
    for pools in groups.values():
        ordered = [_copied(node) for node in sorted(pools, key=lambda node: _cell(node) or 0)]
        for node in pools:
            model.graph.node.remove(node)
        cells = [_cell(node) or 1 for node in ordered]
        for node, finer, cell, before in zip(ordered[1:], ordered, cells[1:], cells, strict=False):
            if cell % before == 0:
                node.CopyFrom(_pool(node, finer.output[0], cell // before))
        for node in reversed(ordered):
            model.graph.node.insert(0, node)


def _cell(node: NodeProto) -> int | None:
    """Side of the cells of a pool whose cells tile the picture; None for others."""
    found = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    kernel, strides = found["kernel_shape"], found.get("strides")
    tiles = kernel == strides and len(set(kernel)) == 1 and not any(found.get("pads", []))
    return int(kernel[0]) if tiles else None


def _pool(node: NodeProto, source: str, cell: int) -> NodeProto:
    return helper.make_node(
        "AveragePool", [source], list(node.output), node.name, kernel_shape=[cell, cell], strides=[cell, cell]
    )


def _copied(node: NodeProto) -> NodeProto:
    out = NodeProto()
    out.CopyFrom(node)
    return out
