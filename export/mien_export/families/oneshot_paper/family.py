"""The thesis's networks as a family for training and export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from mien.errors import SettingError
from mien.manifest import Bundle
from mien_export.data.faces import Faces
from mien_export.families.oneshot_examples import examples_of
from mien_export.families.oneshot_paper.config import CONFIGS, PaperConfig
from mien_export.families.oneshot_paper.course import PaperCourse
from mien_export.families.oneshot_paper.graphs import PaperGraphs, paper_graphs
from mien_export.families.oneshot_paper.losses import PaperLosses
from mien_export.families.oneshot_paper.networks import KIND, SIZES
from mien_export.families.oneshot_paper.step import PaperNetworks
from mien_export.graphs.int8 import Variant
from mien_export.graphs.measure import PICTURES, Example
from mien_export.graphs.parity import GREY_LEVEL, Bound
from mien_export.graphs.tracing import Traced
from mien_export.train.course import Asked, changed


class PaperFamily:
    """Keeps `mien_export.families.family.NetworkFamily`."""

    kind = KIND
    family = "oneshot"
    configs = tuple(CONFIGS)
    sizes = tuple(SIZES)
    learnt_from = "stills with resampled boundaries"
    measure = PICTURES
    halves_graphs = False
    """Its float32 graphs have SPADE spelt out, its float16 ones keep it whole for TensorRT's plug-in."""
    bounds: Mapping[str, Bound] = {  # never changed
        "fp32": Bound(90, 0.1 * GREY_LEVEL, "as for the live networks, but each norm divides by what it finds"),
        "fp16": Bound(45, None, "11 bits; norms divide by small deviations, so that rounding is not lost in them"),
        "bf16": Bound(25, None, "8 bits: 3 bits, which are 18 dB, less than fp16"),
    }

    @property
    def usual_losses(self) -> str:
        """As eq. 3.15 has them."""
        return ", ".join(f"{name} {weight:g}" for name, weight in asdict(PaperLosses()).items())

    def course(self, config: str, asked: Asked) -> PaperCourse:
        """A run from random weights, on samples of the thesis's own.

        Raises:
            SettingError: weights, mouths or pairs are given.
        """
        for option, value in (("--begin", asked.begin), ("--mouths", asked.mouths), ("--packed", asked.packed)):
            if value is not None:
                raise SettingError(f"{option} is for configurations oneshot-live-..., got {config}; leave it out")
        return PaperCourse(changed(CONFIGS[config], asked), asked.given)

    def networks(self, state: Mapping[str, Any]) -> PaperGraphs:
        """F and D as they run."""
        networks = PaperNetworks(PaperConfig(state["size"], (), concatenate=state["concatenate"]))
        networks.load_state_dict(state["step"]["average"]["values"])
        return PaperGraphs(networks.autoencoder, networks.decoder, state["background"])

    def side(self, size: str) -> int:
        """The thesis's 256, or 64."""
        return SIZES[size].side

    def view(self, size: str) -> None:
        """It paints the whole crop."""

    def graphs(self, networks: PaperGraphs, size: str) -> tuple[Traced, ...]:
        """Appearance and generator."""
        return paper_graphs(networks, size)

    def int8_variants(self, networks: PaperGraphs) -> tuple[Variant, ...]:
        """None: norms by what a network sees are too fine for eight bits."""
        return ()

    def examples(self, bundle: Bundle, faces: Faces, count: int, threads: int) -> Iterator[Example]:
        """Of the live networks' pairs, which show more than a resampled boundary does."""
        return examples_of(bundle, faces, count, threads)


PAPER: Final = PaperFamily()
