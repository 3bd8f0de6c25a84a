"""Protocol of a network family for training and export; each folder beside this file implements it.

Other packages add a family by an entry point of the group `mien_export.families` named as its `kind`; the rules of its
bundles are a `mien.manifest.Family`, found by an entry point of the group `mien.families`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from torch import nn

from mien.manifest import Bundle
from mien.plane import Box
from mien_export.data.faces import Faces
from mien_export.graphs.int8 import Variant
from mien_export.graphs.measure import Example, Measure
from mien_export.graphs.parity import Bound
from mien_export.graphs.tracing import Traced
from mien_export.train.course import Asked, Course

Networks = TypeVar("Networks", bound=nn.Module)


class NetworkFamily(Protocol[Networks]):
    """Networks of one kind: how they are trained, exported and proven."""

    @property
    def kind(self) -> str:
        """As manifests and checkpoints have it, such as `oneshot-live`."""
        ...

    @property
    def family(self) -> str:
        """The contract of its bundles, as `mien.manifest.family_named` takes it."""
        ...

    @property
    def configs(self) -> Collection[str]:
        """What `mien export train --config` names."""
        ...

    @property
    def sizes(self) -> Collection[str]:
        """Names of its configurations of widths, of which a checkpoint tells one."""
        ...

    @property
    def learnt_from(self) -> str:
        """What its samples are, in a few words for the manifest."""
        ...

    @property
    def usual_losses(self) -> str:
        """Terms and weights, for the manifest of a checkpoint that does not tell them."""
        ...

    @property
    def bounds(self) -> Mapping[str, Bound]:
        """How far from float32 each precision may be; those that are not here cannot be exported."""
        ...

    @property
    def measure(self) -> Measure:
        """How results of its main graph are compared with the truth."""
        ...

    @property
    def halves_graphs(self) -> bool:
        """Whether float16 can be had from its float32 graphs, without the checkpoint."""
        ...

    def course(self, config: str, asked: Asked) -> Course:
        """All that a run of this configuration needs.

        Raises:
            SettingError: it does not take what was asked.
        """
        ...

    def networks(self, state: Mapping[str, Any]) -> Networks:
        """With the averaged weights of a checkpoint.

        Raises:
            KeyError, TypeError, RuntimeError: the checkpoint is of something else.
        """
        ...

    def side(self, size: str) -> int:
        """Height and width of the crop in pixels."""
        ...

    def view(self, size: str) -> Box | None:
        """The part of the crop that is seen and painted for every frame; None: all of it."""
        ...

    def graphs(self, networks: Networks, size: str) -> tuple[Traced, ...]:
        """Those of its contract, in the contract's order."""
        ...

    def int8_variants(self, networks: Networks) -> tuple[Variant, ...]:
        """Of the main graph, from the fastest to the most exact; none: it does not come in int8."""
        ...

    def examples(self, bundle: Bundle, faces: Faces, count: int, threads: int) -> Iterator[Example]:
        """Real inputs of a bundle's graphs, and what its float32 graphs in ONNX Runtime make of them.

        Raises:
            BackendError: ONNX Runtime is not there or refuses a graph.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a run of `mien_export.train.loop` has come to."""

    family: NetworkFamily[Any]
    networks: Any
    """Of that family, in evaluation mode."""
    size: str
    steps: int
    seed: int
    said: str | None = None
    """Terms and extractors; None: the checkpoint does not tell."""

    def graphs(self) -> tuple[Traced, ...]:
        """What is exported."""
        return self.family.graphs(self.networks, self.size)
