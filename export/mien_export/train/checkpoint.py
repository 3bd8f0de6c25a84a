"""Checkpoints: written atomically, read without executing code, optionally split into small files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from mien.errors import SettingError
from mien.machine.atomic import write_atomically, written

FORMAT = 1


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state` (tensors, numbers, strings, and lists and dicts of them) to `path`, replacing it at once."""
    with written(path) as file:
        torch.save({"format": FORMAT, **state}, file)


def load(path: Path) -> dict[str, Any]:
    """What `save` wrote, on the processor.

    Raises:
        SettingError: it is missing, broken or of another format.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        raise SettingError(f"{path} is no checkpoint that can be read: {error}") from error
    except Exception as error:  # pickle's own errors share no base but this
        raise SettingError(f"{path} is no checkpoint: {error}") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise SettingError(f"{path}: expected a checkpoint of format {FORMAT}; train it anew with this version")
    state.setdefault("kind", "oneshot-live")  # once there was no other
    return state


def take_over(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Give a network those of `weights` that it has under the same name and in the same shape; the others stay."""
    own = network.state_dict()
    fitting = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    network.load_state_dict(own | fitting)


MOST: Final = 15 << 20
"""Bytes of a piece."""
INDEX: Final = "index.json"


def write_pieces(path: Path, folder: Path, most: int = MOST) -> None:
    """Write the file `path` into `folder` as pieces of at most `most` bytes; pieces of an earlier one go."""
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(most):
            whole.update(part)
            names.append(f"{len(names):03d}-{hashlib.sha256(part).hexdigest()[:16]}.part")
            _write(folder / names[-1], part)
    said = {"sha256": whole.hexdigest(), "bytes": path.stat().st_size, "pieces": names}
    _write(folder / INDEX, json.dumps(said, indent=1).encode())
    for old in folder.glob("*.part"):
        if old.name not in names:
            old.unlink()


def join_pieces(folder: Path, path: Path) -> None:
    """Write the file that `folder` holds in pieces to `path`, whole or not at all.

    Raises:
        SettingError: a piece is missing or changed, or there is no index.
    """
    said = _index(folder)
    whole = hashlib.sha256()
    try:
        with written(path) as file:
            for name in said["pieces"]:
                part = (folder / Path(name).name).read_bytes()
                whole.update(part)
                file.write(part)
            if whole.hexdigest() != said["sha256"]:
                raise SettingError(f"{folder}: expected pieces of one checkpoint, got others; get all of them again")
    except OSError as error:
        raise SettingError(f"{error.filename}: cannot be read or written ({error.strerror}); get all pieces") from error


def _index(folder: Path) -> dict[str, Any]:
    try:
        said = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if not isinstance(said["pieces"], list) or not isinstance(said["sha256"], str):
            raise ValueError("it lacks pieces or their hash")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingError(f"{folder}: expected a checkpoint in pieces with an {INDEX}, got none ({error})") from error
    return dict(said)


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, content)
