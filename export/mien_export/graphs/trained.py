"""Live networks from a checkpoint of their training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mien.errors import SettingError
from mien_export.models.live.sizes import SIZES
from mien_export.train import checkpoint
from mien_export.train.live import LiveNetworks


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a run of `mien_export.train.loop` has come to."""

    networks: LiveNetworks
    """With the averaged weights, in evaluation mode."""
    size: str
    steps: int
    seed: int


def read_trained(path: Path) -> Trained:
    """The networks of a checkpoint.

    Raises:
        SettingError: it is missing, broken or of something else.
    """
    state = checkpoint.load(path)
    try:
        size, values = state["size"], state["step"]["average"]["values"]
        steps, seed = int(state["done"]), int(state["seed"])
        if size not in SIZES:
            raise SettingError(f"{path}: size must be one of {', '.join(SIZES)}, got {size!r}")
        networks = LiveNetworks(size)
        networks.load_state_dict(values)
    except (KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise SettingError(f"{path} is no checkpoint of live networks ({reason}); give one that train wrote") from error
    return Trained(networks.eval().requires_grad_(False), size, steps, seed)
