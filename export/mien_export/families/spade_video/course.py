"""A run that trains a synthesis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from mien.errors import SettingError
from mien_export.data.faces import Faces
from mien_export.families import parsing
from mien_export.families.parsing import network as segmenting
from mien_export.families.parsing.labelled import default_place
from mien_export.families.parsing.weights import begun
from mien_export.families.spade_video.losses import SpadeLosses
from mien_export.families.spade_video.network import KIND, SIZES
from mien_export.families.spade_video.samples import Samples, collate
from mien_export.families.spade_video.step import Judges, SpadeStep
from mien_export.train import checkpoint
from mien_export.train.course import Asked, Part, Raw, changed
from mien_export.train.extractors.given import Given, terms_said

WARM_UP: Final = 50
"""Steps in which the learning rate rises."""
SEGMENTER: Final = Path(parsing.__file__).parent / "segmenter.npz"
"""The packaged parsing network, as it is trained."""


@dataclass(frozen=True, slots=True)
class SpadePart(Part):
    """Part of a run; its learning rate is flat and then falls to a tenth."""

    rate: float = 6e-4
    flat: float = 0.6
    """Share of the steps before it falls."""

    def rate_at(self, step: int) -> float:
        """Learning rate at a step of this part."""
        falling = max(step / max(self.steps, 1) - self.flat, 0.0) / max(1 - self.flat, 1e-9)
        return self.rate * min((step + 1) / WARM_UP, 1.0) * (1 - 0.9 * min(falling, 1.0))


@dataclass(frozen=True, slots=True)
class SpadeConfig:
    """A configuration of a run."""

    size: str
    stages: tuple[SpadePart, ...]
    losses: SpadeLosses = field(default_factory=SpadeLosses)


_SHORT: Final = (SpadePart(steps=2500, batch=8),)

CONFIGS: Final = {
    "spade-video": SpadeConfig("128", _SHORT),
    "spade-video-256": SpadeConfig("256", (SpadePart(steps=2500, batch=4, rate=3e-4),)),
    "spade-video-batch-norm": SpadeConfig("128-batch-norm", _SHORT),
    "spade-video-pix2pix": SpadeConfig("128-pix2pix", _SHORT),
    "spade-video-smoke": SpadeConfig("128", (SpadePart(steps=2, batch=4),)),
}
"""`spade-video-256` begins with weights of `spade-video`. The next two are what SPADE is compared with."""


@dataclass(frozen=True)
class SpadeCourse:
    """A configuration, the labels that it learns from, and what judges it."""

    config: SpadeConfig
    labels: Path
    given: Given = field(default_factory=Given)
    begin: Path | None = None
    """A checkpoint whose averaged weights and critic a new run begins with."""

    @property
    def parts(self) -> Sequence[Part]:
        """One."""
        return self.config.stages

    @property
    def marks(self) -> dict[str, Any]:
        """What a checkpoint must agree on."""
        return {"kind": KIND, "size": self.config.size}

    def facts(self, done: int) -> dict[str, Any]:
        """Nothing else is needed."""
        return {}

    def said(self) -> str:
        """The terms with their weights."""
        return terms_said(asdict(self.config.losses), self.given)

    def step(self, device: torch.device) -> SpadeStep:
        """New networks, or those of `begin`.

        Raises:
            SettingError: a file of labels or weights is missing or broken.
        """
        config = self.config
        features: Any = self.given.features(device) if config.losses.perceptual else None
        segmenter: Any = segmenting.Segmenter(segmenting.SIZES["s"])
        segmenter.load_state_dict(begun(SEGMENTER))
        segmenter = segmenter.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
        if features is not None:
            features = features.to(memory_format=torch.channels_last)
        step = SpadeStep(SIZES[config.size], config.losses, Judges(features, segmenter), device)
        if self.begin is not None:
            step.begin(_begun(self.begin))
        return step

    def samples(self, faces: Faces, seed: int, part: int) -> Callable[[int], Any]:
        """Samples by number. The labels' file holds the portraits; `faces` are not read again."""
        return Samples(self.labels, seed + 1000 * part, SIZES[self.config.size].side)

    @property
    def collate(self) -> Callable[[list[Any]], Raw]:
        """Stacks samples."""
        return collate


def _begun(path: Path) -> dict[str, Any]:
    state = checkpoint.load(path)
    if state.get("kind") != KIND:
        raise SettingError(f"{path}: expected a checkpoint of kind {KIND}, got {state.get('kind')!r}")
    step: dict[str, Any] = state["step"]
    return step


def course_of(config: str, asked: Asked) -> SpadeCourse:
    """The course of a configuration; its labels are `asked.packed`, those in the user's cache where that is None.

    Raises:
        SettingError: it does not take what is asked, or there is no place for labels.
    """
    if asked.mouths is not None or asked.paintings is not None:
        raise SettingError(f"--mouths and --paintings are for other configurations, got {config}; leave them out")
    labels = asked.packed or default_place("train")
    return SpadeCourse(changed(CONFIGS[config], asked), labels, asked.given, asked.begin)
