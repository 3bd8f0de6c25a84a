"""The live networks as a family for training and export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from mien.face.crop import SIDE
from mien.manifest import Bundle
from mien.plane import Box
from mien_export.data.faces import Faces
from mien_export.families.oneshot_examples import examples_of
from mien_export.families.oneshot_live.course import CONFIGS, LiveCourse
from mien_export.families.oneshot_live.graphs import VIEW, live_graphs
from mien_export.families.oneshot_live.networks import KIND, SIZES
from mien_export.families.oneshot_live.step import LiveLosses, LiveNetworks
from mien_export.graphs.int8 import Variant
from mien_export.graphs.measure import MOST_LOSS, PICTURES, Example
from mien_export.graphs.parity import GREY_LEVEL, Bound
from mien_export.graphs.tracing import Traced
from mien_export.train.course import Asked, changed

_INT8: Final = Bound(None, None, f"256 steps for each tensor's range: at most {MOST_LOSS} dB farther from the truth")


class LiveFamily:
    """Keeps `mien_export.families.family.NetworkFamily`."""

    kind = KIND
    family = "oneshot"
    configs = tuple(CONFIGS)
    sizes = tuple(SIZES)
    learnt_from = "pairs manufactured from stills"
    measure = PICTURES
    halves_graphs = True
    bounds: Mapping[str, Bound] = {  # never changed
        "fp32": Bound(
            100, 0.01 * GREY_LEVEL, "sums of a thousand terms in another order, through thirty layers: 1/100 grey level"
        ),
        "fp16": Bound(60, GREY_LEVEL, "11 bits, each layer rounds by 2 ** -12: below a grey level at the worst pixel"),
        "bf16": Bound(42, 0.25, "8 bits: 3 bits, which are 18 dB, less than fp16"),
        "int8": _INT8,
        "int8+bf16": _INT8,
    }

    @property
    def usual_losses(self) -> str:
        """As `LiveLosses` begins."""
        plain = LiveLosses()
        terms = [(field.name, getattr(plain, field.name)) for field in fields(plain)]
        return ", ".join(f"{name} {weight:g}" for name, weight in terms if isinstance(weight, float) and weight)

    def course(self, config: str, asked: Asked) -> LiveCourse:
        """A run that may begin with a bundle, and take packed pairs and wide mouths."""
        chosen = changed(CONFIGS[config], asked)
        return LiveCourse(chosen, asked.begin, asked.mouths, asked.packed, asked.given)

    def networks(self, state: Mapping[str, Any]) -> LiveNetworks:
        """Both graphs' weights in one module."""
        networks = LiveNetworks(state["size"])
        networks.load_state_dict(state["step"]["average"]["values"])
        return networks

    def side(self, size: str) -> int:
        """The same for all sizes."""
        return SIDE

    def view(self, size: str) -> Box:
        """The same for all sizes."""
        return VIEW

    def graphs(self, networks: LiveNetworks, size: str) -> tuple[Traced, ...]:
        """Appearance and generator."""
        return live_graphs(networks, size)

    def int8_variants(self, networks: LiveNetworks) -> tuple[Variant, ...]:
        """The first layers are not among what stays exact: what they take loses nothing, and measurement agrees."""
        finest = len(networks.generator.size.levels) - 1
        return (
            Variant("all in int8", ()),
            Variant("head in float32", ("head.",)),
            Variant("head and finest level in float32", ("head.", f"blocks.{finest}.")),
        )

    def examples(self, bundle: Bundle, faces: Faces, count: int, threads: int) -> Iterator[Example]:
        """Of manufactured pairs."""
        return examples_of(bundle, faces, count, threads)


LIVE: Final = LiveFamily()
