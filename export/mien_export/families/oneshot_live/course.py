"""Training configurations of the live networks, and the set-up of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from mien.errors import SettingError
from mien_export.data.faces import Faces
from mien_export.data.open_mouth import mouth_model
from mien_export.data.packed import Packed, part_folder
from mien_export.data.pairs import Pair
from mien_export.data.sampler import Sampler, Sampling
from mien_export.data.variety import Variety
from mien_export.families.oneshot_live.losses import JUDGED
from mien_export.families.oneshot_live.networks import KIND, SIZES
from mien_export.families.oneshot_live.step import CriticSettings, Extractors, LiveLosses, LiveStep
from mien_export.families.oneshot_live.weights import cut, read_weights
from mien_export.families.oneshot_pairs import collate
from mien_export.train.course import Part
from mien_export.train.extractors.given import Given, terms_said

STEADY: Final = 0.6
"""Share of a stage's steps before its learning rate falls."""


@dataclass(frozen=True, slots=True)
class Stage(Part):
    """Part of a run."""

    side: int
    """Of cuts around mouth and eyes, a multiple of 16, or 256 for whole crops."""
    rate: float
    """Learning rate."""

    def rate_at(self, step: int) -> float:
        """As it is at first, then falling linearly to a tenth."""
        past = (step / self.steps - STEADY) / (1 - STEADY)
        return self.rate * (1 - 0.9 * min(max(past, 0.0), 1.0))


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """A run for a live network."""

    size: str
    stages: tuple[Stage, ...]
    losses: LiveLosses = field(default_factory=LiveLosses)
    critic: CriticSettings = field(default_factory=CriticSettings)
    frozen: bool = False
    """Only the generator learns, not the graph that runs once per portrait."""
    mouth_share: float = 0.5
    """Of cuts, how many show the mouth; the others show an eye."""
    variety: Variety = field(default_factory=Variety)


def _cpu(size: str) -> LiveConfig:
    return LiveConfig(size, (Stage(20_000, 16, side=128, rate=2e-4), Stage(3_000, 4, side=256, rate=1e-4)))


STRICT: Final = CriticSettings(faster=2.0, alone=100, judged={**JUDGED, "inner_mouth": 0.25, "lips": 0.6})
"""A critic that is ahead of a generator which already paints well. It counts little inside the mouth: teeth that no
picture shows are guessed, and a sharp guess is farther from the truth than a soft one."""
GENTLE: Final = LiveLosses(adversarial=0.6, matching=6.0)
PHOTOGRAPHED: Final = Variety(opened=0.15, closing=0.12, pursed=0.2, edited=0.1, shut=0.15)
"""Mostly photographed mouths, as they are what most portraits show."""

CONFIGS: Final[dict[str, LiveConfig]] = {
    **{f"oneshot-live-{size}": _cpu(size) for size in SIZES if size != "gpu"},
    "oneshot-live-gpu": LiveConfig(
        "gpu", (Stage(60_000, 64, side=128, rate=2e-4), Stage(20_000, 32, side=256, rate=1e-4))
    ),
    "oneshot-live-m-finetune": LiveConfig(
        "m",
        (Stage(1_300, 8, side=96, rate=6e-5), Stage(100, 2, side=256, rate=2e-5)),
        GENTLE,
        STRICT,
        True,
        0.75,
        PHOTOGRAPHED,
    ),
    "oneshot-live-m-finetune-gpu": LiveConfig(
        "m",
        (Stage(4_000, 64, side=128, rate=1e-4), Stage(500, 32, side=256, rate=2e-5)),
        GENTLE,
        STRICT,
        variety=PHOTOGRAPHED,
    ),
}
"""What `--config` names. `finetune` goes on from a bundle, in an hour of one processor, `finetune-gpu` in minutes."""


@dataclass(frozen=True, slots=True)
class LiveCourse:
    """A configuration, and what it is given."""

    config: LiveConfig
    begin: Path | None = None
    """Folder of a bundle whose weights a new run begins with, cut where it is larger; None: random ones."""
    mouths: Path | None = None
    """Folder of the ICT face model, of which wide mouths are rendered; None: photographed mouths only."""
    packed: Path | None = None
    """Folder of pairs that `mien export pack` made; None: they are made while it learns."""
    given: Given = field(default_factory=Given)

    @property
    def parts(self) -> tuple[Stage, ...]:
        """One after the other."""
        return self.config.stages

    @property
    def marks(self) -> dict[str, Any]:
        """Weights of the loss may change within a run."""
        return {"kind": KIND, "size": self.config.size}

    def facts(self, done: int) -> dict[str, Any]:
        """Nothing else."""
        return {}

    def said(self) -> str:
        """The terms with their weights, and what they look through."""
        return terms_said(asdict(self.config.losses), self.given)

    def step(self, device: torch.device) -> LiveStep:
        """New networks.

        Raises:
            SettingError: an extractor or the bundle to begin with is missing, broken or of another size.
        """
        config = self.config
        step = LiveStep(
            config.size,
            device,
            config.losses,
            extractors=self._extractors(device),
            critic=config.critic,
            frozen=config.frozen,
        )
        if self.begin is not None:
            step.begin(self._begun(self.begin))
        return step

    def samples(self, faces: Faces, seed: int, part: int) -> Callable[[int], Pair]:
        """Pairs by number.

        Raises:
            SettingError: packed ones were made for something else.
        """
        if self.packed is not None:
            return Packed(part_folder(self.packed, part), {"side": self.parts[part].side})
        model = mouth_model(self.mouths) if self.mouths is not None else None
        sampling = Sampling(seed * 1000 + part, self.parts[part].side, self.config.mouth_share)
        return Sampler(faces, sampling, model, self.config.variety)

    def _begun(self, folder: Path) -> dict[str, torch.Tensor]:
        """Weights of a bundle; those of a larger size are cut."""
        size, weights = read_weights(folder)
        if size == self.config.size:
            return weights
        try:
            return cut(weights, SIZES[size], SIZES[self.config.size])
        except ValueError as error:
            raise SettingError(
                f"{folder} holds weights of size {size}, asked for size {self.config.size}: {error}; "
                "give a bundle of that size or of a larger one"
            ) from error

    @property
    def collate(self) -> Callable[[list[Any]], dict[str, torch.Tensor]]:
        """Pairs stacked."""
        return collate

    def _extractors(self, device: torch.device) -> Extractors:
        losses, given = self.config.losses, self.given
        return Extractors(
            given.features(device) if losses.perceptual else None,
            given.embedding(device) if losses.identity else None,
            given.landmarks(device) if losses.landmarks else None,
        )
