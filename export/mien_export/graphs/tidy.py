"""Simplification of exported graphs: fused operators, and no metadata of the machine."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

import mien

CONVOLUTIONS: Final = frozenset({"Conv", "ConvTranspose"})


def ending(model: ModelProto) -> list[NodeProto]:
    """Nodes whose results no convolution takes, at however many removes, less the convolutions themselves.

    Shuffles, squashing and the mask's last touches: they cost little, and what they round is seen.
    """
    taken: set[str] = set()
    found = []
    for node in reversed(model.graph.node):
        if node.op_type in CONVOLUTIONS or taken.intersection(node.output):
            taken.update(node.input)
        else:
            found.append(node)
    return found[::-1]


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


_UNSHUFFLED: Final = [0, 1, 3, 5, 2, 4]
"""The permutation by which torch's exporter spells a pixel unshuffle."""


def tidied(model: ModelProto, name: str) -> ModelProto:
    """A plain copy of what torch exported, its pixel unshuffles SpaceToDepth and its pools a cascade."""
    out = ModelProto()
    out.CopyFrom(model)
    _space_to_depth(out)
    cascade_pools(out)
    _drop_unused(out)
    return plain(out, name)


def plain(model: ModelProto, name: str) -> ModelProto:
    """A copy named `name` without the notes of who exported it: paths, scopes, versions and sizes found on the way."""
    out = ModelProto()
    out.CopyFrom(model)
    out.producer_name, out.producer_version, out.doc_string = "mien", mien.__version__, ""
    out.graph.name, out.graph.doc_string = name, ""
    del out.metadata_props[:]
    del out.graph.metadata_props[:]
    del out.graph.value_info[:]
    for part in (*out.graph.node, *out.graph.initializer, *out.graph.input, *out.graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
    return out


def _space_to_depth(model: ModelProto) -> None:
    """Reshape, Transpose, Reshape, Conv become SpaceToDepth, Conv; so they do as the last part of what a Conv takes.

    ONNX has the place within the block first in the new channels and torch has it last: the convolution's weights are
    put in the order of ONNX, so that nothing needs to be moved when it runs.
    """
    nodes = model.graph.node
    makers = {node.output[0]: node for node in nodes}
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    users = Counter(name for node in nodes for name in node.input)
    for conv in [node for node in nodes if node.op_type == "Conv"]:
        chain = _unshuffle_before(_last_part(conv.input[0], makers, users), makers)
        if chain is None:
            continue
        first, _, last = chain
        weight = weights[conv.input[1]]
        shape = _shape(weights, first)
        (block,) = {int(size) for size in shape[[3, 5]]}
        values, count = numpy_helper.to_array(weight).copy(), int(shape[1]) * block**2
        values[:, -count:] = _reordered(values[:, -count:], block)
        weight.CopyFrom(numpy_helper.from_array(values, weight.name))
        node = helper.make_node("SpaceToDepth", [first.input[0]], [last.output[0]], last.name, blocksize=block)
        last.CopyFrom(node)
        _remove(model, chain[:2])


def _last_part(name: str, makers: dict[str, NodeProto], users: Counter[str]) -> str:
    """The last of the tensors that are concatenated to this one, by channels and for one user; else this one."""
    node = makers.get(name)
    joined = node is not None and node.op_type == "Concat" and helper.get_node_attr_value(node, "axis") == 1
    return str(node.input[-1]) if node is not None and joined and users[name] == 1 else name


def _unshuffle_before(name: str, makers: dict[str, NodeProto]) -> tuple[NodeProto, NodeProto, NodeProto] | None:
    """The three nodes that make the tensor `name` a pixel unshuffle, if it is one."""
    chain = []
    for kind in ("Reshape", "Transpose", "Reshape"):
        node = makers.get(name)
        if node is None or node.op_type != kind:
            return None
        chain.append(node)
        name = node.input[0]
    last, transpose, first = chain
    permutation = helper.get_node_attr_value(transpose, "perm")
    return (first, transpose, last) if list(permutation) == _UNSHUFFLED else None


def _shape(weights: dict[str, TensorProto], reshape: NodeProto) -> NDArray[np.int64]:
    return np.asarray(numpy_helper.to_array(weights[reshape.input[1]]))


def _reordered(weight: NDArray[np.float32], block: int) -> NDArray[np.float32]:
    """(out, C * block * block, h, w) with the block's place first among the inputs."""
    out, inputs, height, width = weight.shape
    split = weight.reshape(out, inputs // block**2, block**2, height, width)
    return np.ascontiguousarray(split.transpose(0, 2, 1, 3, 4)).reshape(weight.shape)


def _remove(model: ModelProto, nodes: tuple[NodeProto, ...]) -> None:
    for node in nodes:
        model.graph.node.remove(node)


def _drop_unused(model: ModelProto) -> None:
    used = {name for node in model.graph.node for name in node.input}
    for tensor in [tensor for tensor in model.graph.initializer if tensor.name not in used]:
        model.graph.initializer.remove(tensor)
