"""A run that trains a generator on landmarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from mien.errors import SettingError
from mien_export.data.faces import Faces
from mien_export.families.landmark_unet.losses import UnetLosses
from mien_export.families.landmark_unet.network import KIND, SIZES
from mien_export.families.landmark_unet.samples import Triplet, Triplets, collate
from mien_export.families.landmark_unet.step import UnetStep
from mien_export.train.course import Asked, Part, Raw, changed
from mien_export.train.extractors.given import Given

TRIPLETS: Final = 57_200
"""That the paper's networks learnt from, six times over a ninth of them."""


@dataclass(frozen=True, slots=True)
class UnetPart(Part):
    """Part of a run; its learning rate is flat and then falls to a tenth."""

    rate: float = 2e-4
    flat: float = 0.7
    """Share of the steps before it falls; in the paper it never does."""

    def rate_at(self, step: int) -> float:
        """The generator's learning rate at a step of this part."""
        falling = max(step / max(self.steps, 1) - self.flat, 0.0) / max(1 - self.flat, 1e-9)
        return self.rate * (1 - 0.9 * min(falling, 1.0))


@dataclass(frozen=True, slots=True)
class UnetConfig:
    """A configuration of a run."""

    size: str
    stages: tuple[UnetPart, ...]
    losses: UnetLosses = field(default_factory=UnetLosses)


CONFIGS: Final = {
    "landmark-unet": UnetConfig("64", (UnetPart(TRIPLETS // 8, 8),)),
    "landmark-unet-128": UnetConfig("128", (UnetPart(TRIPLETS // 8, 8),)),
    "landmark-unet-wide": UnetConfig("64-wide", (UnetPart(TRIPLETS // 8, 8, flat=1.0),)),
    "landmark-unet-smoke": UnetConfig("64", (UnetPart(2, 2),)),
}
"""`landmark-unet-wide` is the paper's, for a GPU."""


@dataclass(frozen=True)
class UnetCourse:
    """A configuration, the views that it learns from, and what its feature terms look through."""

    config: UnetConfig
    views: Path
    given: Given = field(default_factory=Given)

    @property
    def parts(self) -> Sequence[Part]:
        """One."""
        return self.config.stages

    @property
    def marks(self) -> dict[str, Any]:
        """Columns of an ablation differ in their losses alone, so these count."""
        return {"kind": KIND, "size": self.config.size, "losses": asdict(self.config.losses)}

    def facts(self, done: int) -> dict[str, Any]:
        """Nothing else is needed."""
        return {}

    def said(self) -> str:
        """The terms with their weights, and what they look through."""
        return terms_said(self.config.losses, self.given)

    def step(self, device: torch.device) -> UnetStep:
        """New networks.

        Raises:
            SettingError: the trunk's file is missing or broken.
        """
        losses = self.config.losses
        features: Any = self.given.features(device) if losses.needs_features else None
        if features is not None:
            features = features.to(memory_format=torch.channels_last)
        return UnetStep(SIZES[self.config.size], losses, features, device)

    def samples(self, faces: Faces, seed: int, part: int) -> Callable[[int], Triplet]:
        """Triplets by number. The file of views holds the portraits; `faces` are not read again.

        Raises:
            SettingError: the file is missing, broken or of another side.
        """
        triplets = Triplets(self.views, seed + 1000 * part)
        side = SIZES[self.config.size].side
        if triplets.views.side != side:
            raise SettingError(f"{self.views}: expected views of {side} pixels, got {triplets.views.side}; make others")
        return triplets

    @property
    def collate(self) -> Callable[[list[Triplet]], Raw]:
        """Stacks triplets."""
        return collate


def terms_said(losses: UnetLosses, given: Given) -> str:
    """The terms that count, for a manifest."""
    through = {"perceptual": given.said("perceptual"), "identity": given.said("perceptual")}
    return ", ".join(f"{name} {weight:g}{through.get(name, '')}" for name, weight in asdict(losses).items() if weight)


def course_of(config: str, asked: Asked) -> UnetCourse:
    """The course of a configuration; its views are `asked.packed`.

    Raises:
        SettingError: it does not take what is asked, or no views are given.
    """
    for option, value in (("--begin", asked.begin), ("--mouths", asked.mouths), ("--paintings", asked.paintings)):
        if value is not None:
            raise SettingError(f"{option} is for other configurations, got {config}; leave it out")
    if asked.packed is None:
        raise SettingError(f"{config} needs --packed FILE: mien export views --data DIR --out FILE makes it")
    return UnetCourse(changed(CONFIGS[config], asked), asked.packed, asked.given)
