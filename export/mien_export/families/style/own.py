"""A network with one style more, and the run that learns it from one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from mien.errors import SettingError
from mien.manifest import read_bundle
from mien_export.data.faces import Faces
from mien_export.families.style.course import MAPS, said
from mien_export.families.style.goals import StyleGoals
from mien_export.families.style.losses import StyleLosses
from mien_export.families.style.network import KIND, SIZES, StyleNetwork
from mien_export.families.style.paintings import transfer_to
from mien_export.families.style.samples import Samples, collate
from mien_export.families.style.step import StylePart, StyleStep
from mien_export.graphs.weights import weights_of
from mien_export.train.course import Part, Raw, shared_out
from mien_export.train.extractors.given import Given
from mien_export.train.extractors.hed import open_hed

_COLOURS, _VIEW = "colours", "view"
"""As the module calls them, and as the exporter does that lays them out in rows."""
STEPS: Final = 320
STAGES: Final = (
    StylePart(steps=200, batch=2, side=128, rate=4e-3),
    StylePart(steps=120, batch=2, side=128, rate=2e-3, temporal=True, falls=True),
)


def read_network(folder: Path) -> tuple[StyleNetwork, str, tuple[str, ...]]:
    """The network of a bundle, its size, and the names of its styles.

    Raises:
        SettingError: the bundle is of another kind.
        ModelError: it cannot be read.
    """
    bundle = read_bundle(folder)
    if bundle.kind != KIND:
        raise SettingError(f"{folder}: expected a bundle of kind {KIND}, got {bundle.kind}; give another one")
    weights = weights_of(bundle.graph("whole").path)
    network = StyleNetwork(SIZES[bundle.size], len(bundle.attributes))
    state = {name: weights[f"network.{name}"] for name in network.state_dict() if name != _COLOURS}
    network.load_state_dict(state | {_COLOURS: weights[_VIEW].view(-1, 3, 3)})
    return network, bundle.size, bundle.attributes


def with_another(network: StyleNetwork, size: str, colours: torch.Tensor, offset: torch.Tensor) -> StyleNetwork:
    """The network with one style more, which begins with the mean of the others' strokes and with a colour transfer.

    Args:
        colours: A, (3, 3).
        offset: t, (3,).
    """
    grown = StyleNetwork(SIZES[size], network.styles + 1)
    state = {
        name: torch.cat([value, value.mean(0, keepdim=True)]) if _by_style(name) else value
        for name, value in network.state_dict().items()
    }
    grown.load_state_dict(state)
    with torch.no_grad():
        grown.colours[-1], grown.offsets[-1] = colours, offset
    return grown


def _by_style(name: str) -> bool:
    return name in (_COLOURS, "offsets") or name.endswith((".scale", ".shift"))


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
