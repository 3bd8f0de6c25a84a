"""Columns of ablations, by kind of network: what each leaves out or weighs otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mien_export.families.landmark_unet.network import KIND as LANDMARK_UNET
from mien_export.families.oneshot_paper.config import ABLATION
from mien_export.families.oneshot_paper.networks import KIND as ONESHOT_PAPER


@dataclass(frozen=True, slots=True)
class Column:
    """What is trained."""

    config: str
    """As `mien export train --config` takes it."""
    without: tuple[str, ...] = ()
    """Terms of the loss whose weight is 0."""


_PAPER_PREFIX: Final = "paper-64-"
_UNET: Final[Mapping[str, tuple[str, ...]]] = {
    "full": (),
    "no-pixel": ("pixel",),
    "no-consistency": ("itself", "triple"),
    "no-features": ("perceptual", "identity"),
    "no-adversarial": ("adversarial",),
    "no-itself": ("itself",),
    "no-triple": ("triple",),
    "no-perceptual": ("perceptual",),
    "no-identity": ("identity",),
}
"""The first four are the paper's runs; the others leave one term out, which it could not do."""

COLUMNS: Final[Mapping[str, Mapping[str, Column]]] = {
    ONESHOT_PAPER: {name.removeprefix(_PAPER_PREFIX): Column(name) for name in ABLATION},
    LANDMARK_UNET: {name: Column(LANDMARK_UNET, without) for name, without in _UNET.items()},
}
"""By kind, in the papers' order."""
