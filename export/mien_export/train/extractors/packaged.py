"""Weights that travel with the package: half-precision arrays in one file, read without running anything."""

from __future__ import annotations

import io
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mien.errors import SettingError
from mien.machine.atomic import written


def load_weights(module: nn.Module, name: str, path: Path | None = None) -> None:
    """Fill `module` from `path`, or from the packaged file `name`, freeze it and set it to evaluate.

    Raises:
        SettingError: the file is missing, unreadable or of another network.
    """
    place = path or resources.files("mien_export.train.extractors").joinpath(name)
    try:
        with np.load(io.BytesIO(place.read_bytes()), allow_pickle=False) as arrays:
            state: dict[str, Any] = {key: torch.from_numpy(arrays[key].astype(np.float32)) for key in arrays.files}
        module.load_state_dict(state)
    except (OSError, ValueError, RuntimeError) as error:
        raise SettingError(f"{place} holds no weights for {type(module).__name__}: {error}") from error
    module.eval().requires_grad_(False)


def save_weights(module: nn.Module, path: Path) -> None:
    """Write the weights of `module` to `path` in half precision, replacing it at once."""
    arrays = {
        key: value.detach().cpu().numpy().astype(np.float16)
        for key, value in module.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    with written(path) as file:
        np.savez_compressed(file, **arrays)
