"""Weights of a graph as torch has them, to go on from a bundle without its checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor


def weights_of(path: Path) -> dict[str, Tensor]:
    """float32 tensors of an ONNX file by name, constants of the graph among them.

    Where a picture is folded into channels, ONNX has the place within the fold before the channel, and torch behind it.
    """
    model = onnx.load(path)
    blocks = {
        conv.input[1]: onnx.helper.get_node_attr_value(node, "blocksize")
        for node in model.graph.node
        if node.op_type == "SpaceToDepth"
        for conv in model.graph.node
        if node.output[0] in conv.input
    }
    state = {}
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor).astype(np.float32)
        if tensor.name in blocks:
            value = _place_last(value, blocks[tensor.name])
        state[tensor.name] = torch.from_numpy(np.array(value))
    return state


def _place_last(weight: NDArray[np.float32], block: int) -> NDArray[np.float32]:
    """(out, block * block * C, h, w) with the place within the block last again, as torch has it."""
    out, inputs, height, width = weight.shape
    split = weight.reshape(out, block**2, inputs // block**2, height, width)
    return np.ascontiguousarray(split.transpose(0, 2, 1, 3, 4)).reshape(weight.shape)
