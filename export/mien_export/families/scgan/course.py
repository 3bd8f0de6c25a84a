"""A run that trains an avatar maker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import torch

from mien.errors import SettingError
from mien.face.traits import TRAITS
from mien_export.data.faces import Faces
from mien_export.families.parsing import network as segmenting
from mien_export.families.parsing.weights import begun
from mien_export.families.scgan import prepared
from mien_export.families.scgan.losses import ScganLosses
from mien_export.families.scgan.network import KIND, PAPER, SIZES
from mien_export.families.scgan.samples import Samples, collate
from mien_export.families.scgan.step import Helpers, ScganForm, ScganStep
from mien_export.families.spade_video.course import SEGMENTER, SpadePart
from mien_export.train import checkpoint
from mien_export.train.course import Asked, Part, Raw, changed
from mien_export.train.extractors.given import Given, terms_said


@dataclass(frozen=True, slots=True)
class ScganConfig:
    """A configuration of a run."""

    size: str
    stages: tuple[SpadePart, ...]
    losses: ScganLosses = field(default_factory=ScganLosses)
    form: ScganForm = field(default_factory=ScganForm)

    @property
    def kind(self) -> str:
        """As manifests and checkpoints have it."""
        return KIND if SIZES[self.size].hybrid else PAPER


_WHOLE: Final = SpadePart(steps=8000, batch=8, rate=6e-4)
_SHORT: Final = SpadePart(steps=2000, batch=8, rate=6e-4)
_USUAL: Final = ScganLosses()
_SLIDES: Final = ScganLosses(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0)
"""The paper's: adversarial, classification and segmentation."""

CONFIGS: Final = {
    "scgan": ScganConfig("128", (_WHOLE,)),
    "scgan-256": ScganConfig("256", (SpadePart(steps=25000, batch=4, rate=3e-4),)),
    "scgan-at-once": ScganConfig("128-at-once", (_SHORT,)),
    "scgan-without-s": ScganConfig("128", (_SHORT,), replace(_USUAL, segments=0.0)),
    "scgan-without-s-and-classifier": ScganConfig("128", (_SHORT,), replace(_USUAL, segments=0.0, traits=0.0)),
    "scgan-paper": ScganConfig("128-plain", (_WHOLE,), _SLIDES, ScganForm("wasserstein", "along")),
    "scgan-smoke": ScganConfig("128", (SpadePart(steps=2, batch=4),)),
}
"""`scgan-256` begins with weights of `scgan`. The next three are the ablations; `scgan-paper` is the plain
G(z, c, s)."""


@dataclass(frozen=True)
class ScganCourse:
    """A configuration, the folder that it learns from, and what helps it."""

    config: ScganConfig
    place: Path
    given: Given = field(default_factory=Given)
    begin: Path | None = None
    """A checkpoint whose averaged weights and discriminator a new run begins with."""

    @property
    def parts(self) -> Sequence[Part]:
        """One."""
        return self.config.stages

    @property
    def marks(self) -> dict[str, Any]:
        """What a checkpoint must agree on."""
        return {"kind": self.config.kind, "size": self.config.size}

    def facts(self, done: int) -> dict[str, Any]:
        """The names of the attributes, and the distribution of people."""
        _, people = prepared.load(self.place)
        return {"attributes": list(TRAITS), "people": people.tensors()}

    def said(self) -> str:
        """The terms with their weights."""
        return terms_said(asdict(self.config.losses), self.given)

    def step(self, device: torch.device) -> ScganStep:
        """New networks, or those of `begin`.

        Raises:
            SettingError: a file of weights is missing or broken.
        """
        config = self.config
        features: Any = self.given.features(device) if config.losses.perceptual else None
        if features is not None:
            features = features.to(memory_format=torch.channels_last)
        step = ScganStep(SIZES[config.size], config.form, config.losses, Helpers(features, self._segmentor()), device)
        if self.begin is not None:
            step.begin(_begun(self.begin))
        return step

    def _segmentor(self) -> segmenting.Segmenter | None:
        """The packaged parsing network, or one that knows nothing where it is trained along."""
        if not self.config.losses.segments:
            return None
        network: Any = segmenting.Segmenter(segmenting.SIZES["s"])
        if self.config.form.segmentor == "frozen":
            network.load_state_dict(begun(SEGMENTER))
        segmentor: segmenting.Segmenter = network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        return segmentor

    def samples(self, faces: Faces, seed: int, part: int) -> Callable[[int], Any]:
        """Samples by number. The folder holds the portraits; `faces` are not read again."""
        return Samples(self.place, seed + 1000 * part, SIZES[self.config.size].side)

    @property
    def collate(self) -> Callable[[list[Any]], Raw]:
        """Stacks samples."""
        return collate


def _begun(path: Path) -> dict[str, Any]:
    state = checkpoint.load(path)
    if state.get("kind") not in (KIND, PAPER):
        raise SettingError(f"{path}: expected a checkpoint of kind {KIND}, got {state.get('kind')!r}")
    step: dict[str, Any] = state["step"]
    return step


def course_of(config: str, asked: Asked) -> ScganCourse:
    """The course of a configuration; what it learns from is `asked.packed`, the folder that `mien export people` made.

    Raises:
        SettingError: it does not take what is asked, or the folder is not named.
    """
    if asked.mouths is not None or asked.paintings is not None:
        raise SettingError(f"--mouths and --paintings are for other configurations, got {config}; leave them out")
    if asked.packed is None:
        raise SettingError(f"--config {config}: expected --packed, the folder that mien export people made")
    return ScganCourse(changed(CONFIGS[config], asked), asked.packed, asked.given, asked.begin)
