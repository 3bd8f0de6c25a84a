"""A run that adds one style to a network: a user's own, from one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from mien_export.data.faces import Faces
from mien_export.families.style.course import MAPS, said
from mien_export.families.style.goals import StyleGoals
from mien_export.families.style.losses import StyleLosses
from mien_export.families.style.network import KIND, StyleNetwork
from mien_export.families.style.paintings import transfer_to
from mien_export.families.style.samples import Samples, collate
from mien_export.families.style.stages import StylePart
from mien_export.families.style.step import StyleStep
from mien_export.families.style.weights import with_another
from mien_export.train.course import Part, Raw, shared_out
from mien_export.train.extractors.given import Given
from mien_export.train.extractors.hed import open_hed

STEPS: Final = 320
STAGES: Final = (
    StylePart(steps=200, batch=2, side=128, rate=4e-3),
    StylePart(steps=120, batch=2, side=128, rate=2e-3, temporal=True, falls=True),
)


@dataclass(frozen=True)
class OwnStyle:
    """Keeps `mien_export.train.course.Course`. The convolutions and the other styles stay as they are."""

    network: StyleNetwork
    """To which the style is added."""
    size: str
    names: tuple[str, ...]
    """Of its styles, and of the new one at the end."""
    picture: NDArray[np.uint8]
    """(H, W, 3): what the style is learnt from."""
    hed: Path
    steps: int = STEPS

    @property
    def parts(self) -> Sequence[Part]:
        """Strokes, then strokes that stay."""
        return shared_out(STAGES, self.steps)

    @property
    def marks(self) -> dict[str, Any]:
        """What a checkpoint must agree on."""
        return {"kind": KIND, "size": self.size}

    def facts(self, done: int) -> dict[str, Any]:
        """The styles' names."""
        return {"attributes": self.names}

    def said(self) -> str:
        """The terms with their weights."""
        return said(StyleLosses(), Given(hed=self.hed))

    def step(self, device: torch.device) -> StyleStep:
        """The network with the new style, of which only that learns.

        Raises:
            SettingError: the trunk's weights are missing or broken.
        """
        stages = shared_out(STAGES, self.steps)
        extractor: Any = open_hed(self.hed, MAPS).to(device)
        extractor = extractor.to(memory_format=torch.channels_last)
        goals = StyleGoals({self.names[-1]: self.picture}, extractor, [stage.full for stage in stages], device)
        grown = with_another(self.network, self.size, *transfer_to(self.picture))
        return StyleStep(grown, goals, stages, StyleLosses(), device, learning=[grown.styles - 1])

    def samples(self, faces: Faces, seed: int, part: int) -> Callable[[int], Any]:
        """Samples by number."""
        stage = shared_out(STAGES, self.steps)[part]
        return Samples(faces, seed + 1000 * part, stage.side, stage.full)

    @property
    def collate(self) -> Callable[[list[Any]], Raw]:
        """Stacks samples."""
        return collate
