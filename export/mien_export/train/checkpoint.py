"""Checkpoints: written whole or not at all, read without running anything that they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from mien.errors import SettingError
from mien.machine.atomic import written

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
