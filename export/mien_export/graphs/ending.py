"""The end of a graph: what is done to a network's last convolution before it leaves."""

from __future__ import annotations

from typing import Final

from onnx import ModelProto, NodeProto

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
