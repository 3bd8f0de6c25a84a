"""The way back from a bundle: its graphs' weights as the live networks name them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from mien.errors import SettingError
from mien.manifest import read_bundle
from mien_export.graphs.live import KIND

_FACTOR, _GAMMA = ".factor.", ".gamma."


def read_weights(folder: Path) -> tuple[str, dict[str, Tensor]]:
    """(size, state of `LiveNetworks`) of a bundle in float32, undoing what `lean` and `tidied` did to them.

    Raises:
        SettingError: the bundle is of another kind.
        ModelError: it cannot be read.
    """
    bundle = read_bundle(folder)
    if bundle.kind != KIND:
        raise SettingError(f"{folder}: expected a bundle of kind {KIND}, got {bundle.kind}; give another one")
    state: dict[str, Tensor] = {}
    for part in ("appearance", "generator"):
        state |= {f"{part}.{name}": value for name, value in _of_graph(bundle.graph(part).path).items()}
    return bundle.size, state


def _of_graph(path: Path) -> dict[str, Tensor]:
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
        if not tensor.name.endswith((".weight", ".bias")):
            continue  # a constant of the graph
        value = numpy_helper.to_array(tensor).astype(np.float32)
        if tensor.name in blocks:
            value = _place_last(value, blocks[tensor.name])
        if _FACTOR in tensor.name and tensor.name.endswith(".bias"):
            value = value - 1
        state[tensor.name.replace(_FACTOR, _GAMMA)] = torch.from_numpy(np.array(value))
    return state


def _place_last(weight: NDArray[np.float32], block: int) -> NDArray[np.float32]:
    """(out, block * block * C, h, w) with the place within the block last again, as torch has it."""
    out, inputs, height, width = weight.shape
    split = weight.reshape(out, block**2, inputs // block**2, height, width)
    return np.ascontiguousarray(split.transpose(0, 2, 1, 3, 4)).reshape(weight.shape)
