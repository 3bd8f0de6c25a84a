"""Networks from a checkpoint of their training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mien.errors import SettingError
from mien.face.crop import SIDE
from mien.plane import Box
from mien_export.graphs import live, paper
from mien_export.graphs.traced import Traced
from mien_export.models.live import sizes as live_sizes
from mien_export.models.paper import sizes as paper_sizes
from mien_export.models.paper.graphs import PaperGraphs
from mien_export.train import checkpoint
from mien_export.train.live import LiveNetworks
from mien_export.train.paper.config import PaperConfig
from mien_export.train.paper.step import PaperNetworks

SIZES: Final = {live.KIND: tuple(live_sizes.SIZES), paper.KIND: tuple(paper_sizes.SIZES)}


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a run of `mien_export.train.loop` has come to."""

    networks: LiveNetworks | PaperGraphs
    """With the averaged weights, in evaluation mode."""
    size: str
    steps: int
    seed: int
    said: str | None = None
    """Terms and extractors; None: the checkpoint does not tell."""

    @property
    def kind(self) -> str:
        """As manifests have it."""
        return live.KIND if isinstance(self.networks, LiveNetworks) else paper.KIND

    @property
    def side(self) -> int:
        """Height and width of the crop in pixels."""
        return SIDE if isinstance(self.networks, LiveNetworks) else paper_sizes.SIZES[self.size].side

    @property
    def view(self) -> Box | None:
        """The part of the crop that the generator sees and paints; None: all of it."""
        return live.VIEW if isinstance(self.networks, LiveNetworks) else None

    def graphs(self) -> tuple[Traced, Traced]:
        """Appearance and generator."""
        if isinstance(self.networks, LiveNetworks):
            return live.live_graphs(self.networks, self.size)
        return paper.paper_graphs(self.networks, self.size)

    def plain_graphs(self) -> tuple[Traced, Traced]:
        """The same as they were trained, nothing folded."""
        appearance, generator = self.graphs()
        return (
            replace(appearance, module=self.networks.appearance),
            replace(generator, module=self.networks.generator),
        )


def read_trained(path: Path) -> Trained:
    """The networks of a checkpoint.

    Raises:
        SettingError: it is missing, broken or of something else.
    """
    state = checkpoint.load(path)
    try:
        kind, size, steps, seed = state["kind"], state["size"], int(state["done"]), int(state["seed"])
        if kind not in SIZES:
            raise SettingError(f"{path}: kind must be one of {', '.join(SIZES)}, got {kind!r}")
        if size not in SIZES[kind]:
            raise SettingError(f"{path}: size must be one of {', '.join(SIZES[kind])}, got {size!r}")
        networks = _live(state) if kind == live.KIND else _paper(state)
    except (KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise SettingError(f"{path} is no checkpoint of networks ({reason}); give one that train wrote") from error
    return Trained(networks.eval().requires_grad_(False), size, steps, seed, state.get("said"))


def _live(state: dict[str, Any]) -> LiveNetworks:
    networks = LiveNetworks(state["size"])
    networks.load_state_dict(state["step"]["average"]["values"])
    return networks


def _paper(state: dict[str, Any]) -> PaperGraphs:
    networks = PaperNetworks(PaperConfig(state["size"], (), concatenate=state["concatenate"]))
    networks.load_state_dict(state["step"]["average"]["values"])
    return PaperGraphs(networks.autoencoder, networks.decoder, state["background"])
