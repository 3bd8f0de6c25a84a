"""Averaged weights of a segmenter with its batch normalisation: what a run begins with. Bundles have that folded away.

    python -m mien_export.families.parsing.weights run/latest.pt segmenter.npz

writes them in half precision.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mien.errors import SettingError
from mien.machine.atomic import written
from mien_export.families.parsing.network import KIND
from mien_export.train import checkpoint


def begun(path: Path) -> dict[str, Tensor]:
    """Weights and buffers of a run's checkpoint, or of a file of weights (.npz).

    Raises:
        SettingError: it is missing, broken or of another kind of network.
    """
    if path.suffix == ".npz":
        return _kept(path)
    state = checkpoint.load(path)
    if state.get("kind") != KIND:
        raise SettingError(f"{path}: expected a checkpoint of kind {KIND}, got {state.get('kind')!r}")
    weights: dict[str, Tensor] = state["step"]["average"]
    return weights


def _kept(path: Path) -> dict[str, Tensor]:
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
    except (OSError, ValueError) as error:
        raise SettingError(
            f"{path} is no file of weights ({error}); give a checkpoint, or what this module wrote"
        ) from error
    floats = {name: array.astype(np.float32) for name, array in arrays.items() if array.dtype == np.float16}
    return {name: torch.from_numpy(np.array(array)) for name, array in (arrays | floats).items()}


def keep(weights: dict[str, Tensor], path: Path) -> None:
    """Write weights in half precision."""
    arrays = {name: value.numpy() for name, value in weights.items()}
    halves = {name: array.astype(np.float16) for name, array in arrays.items() if array.dtype == np.float32}
    with written(path) as file:
        np.savez_compressed(file, **(arrays | halves))


if __name__ == "__main__":
    keep(begun(Path(sys.argv[1])), Path(sys.argv[2]))
