"""The avatar maker as a family that is trained and exported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from torch import nn

from mien.manifest import Bundle
from mien.nobody import maker as avatars
from mien.nobody.drawing import Person
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_export.data.faces import Faces
from mien_export.families.scgan import people as distribution
from mien_export.families.scgan.course import CONFIGS, ScganCourse, course_of
from mien_export.families.scgan.graphs import LOOKS, PEOPLE, PORTRAIT, graphs_of
from mien_export.families.scgan.losses import ScganLosses
from mien_export.families.scgan.network import KIND, SIZES, Scgan
from mien_export.families.scgan.network import PAPER as PAPER_KIND
from mien_export.families.scgan.people import People
from mien_export.families.spade_video.code import LENGTH
from mien_export.graphs.int8 import Variant
from mien_export.graphs.measure import Example, PictureMeasure, ran
from mien_export.graphs.parity import Bound
from mien_export.graphs.tracing import Traced
from mien_export.train.course import Asked
from mien_export.train.extractors.given import Given, terms_said


class Maker(nn.Module):
    """Networks and the distribution of people that they draw from."""

    def __init__(self, network: Scgan, people: People) -> None:
        super().__init__()
        self.network, self.people = network, people


class ScganFamily:
    """Keeps `mien_export.families.family.NetworkFamily`."""

    family = "scgan"
    learnt_from = "portraits with label maps, and people drawn from their distribution"
    measure = PictureMeasure()
    halves_graphs = False
    bounds: Mapping[str, Bound] = {
        "fp32": Bound(80, None, "sums of some hundred terms in another order, through twelve layers"),
        "fp16": Bound(45, None, "11 bits, each layer rounds by 2 ** -12; products of modulations enlarge it"),
        "bf16": Bound(25, None, "8 bits: 3 bits, which are 18 dB, less than fp16"),
    }

    def __init__(self, kind: str, hybrid: bool) -> None:
        """`hybrid`: whether generators of this kind take the painted map."""
        self.kind = kind
        self.sizes = tuple(name for name, size in SIZES.items() if size.hybrid == hybrid)
        self.configs = tuple(name for name, config in CONFIGS.items() if config.size in self.sizes)

    @property
    def usual_losses(self) -> str:
        """As `ScganLosses` begins."""
        return terms_said(asdict(ScganLosses()), Given())

    def course(self, config: str, asked: Asked) -> ScganCourse:
        """A run on labelled portraits and drawn people."""
        return course_of(config, asked)

    def networks(self, state: Mapping[str, Any]) -> Maker:
        """Generator and distribution."""
        network = Scgan(SIZES[state["size"]])
        network.load_state_dict(state["step"]["average"])
        return Maker(network, People.of(state["people"]))

    def side(self, size: str) -> int:
        """Of pictures and maps."""
        return SIZES[size].side

    def view(self, size: str) -> None:
        """All of the view is made."""

    def graphs(self, networks: Maker, size: str) -> tuple[Traced, ...]:
        """Three."""
        return graphs_of(networks.network, networks.people)

    def int8_variants(self, networks: Maker) -> tuple[Variant, ...]:
        """None: weights are bytes already, and a portrait is made on request."""
        return ()

    def examples(self, bundle: Bundle, faces: Faces, count: int, threads: int) -> Iterator[Example]:
        """People drawn at random; nobody knows what they look like in truth."""
        sessions = {name: OnnxRuntimeSession(bundle.graph(name), threads=threads) for name in (LOOKS, PEOPLE, PORTRAIT)}
        maker = avatars.Maker(bundle, sessions, threads, bundle.name)
        try:
            for number in range(count):
                rng = np.random.default_rng([number, faces.count])
                mixture = rng.standard_normal(distribution.LENGTH).astype(np.float32)
                person = maker.person(mixture)
                inputs = {PORTRAIT: _inputs(sessions[PORTRAIT], maker, person, rng)}
                inputs |= {name: {"mixture": mixture[None]} for name in (LOOKS, PEOPLE)}
                outputs = {name: ran(session, inputs[name]) for name, session in sessions.items()}
                yield Example(inputs, outputs)
        finally:
            maker.close()


def _inputs(
    session: OnnxRuntimeSession, maker: avatars.Maker, person: Person, rng: np.random.Generator
) -> dict[str, Any]:
    inputs = {name: array.copy() for name, array in session.inputs.items()}
    noise = rng.standard_normal((maker.side, maker.side))
    avatars.fill(inputs, maker.frame, person, rng.random(3, np.float32), rng.standard_normal(LENGTH), noise)
    return inputs


SCGAN: Final = ScganFamily(KIND, hybrid=True)
PAPER: Final = ScganFamily(PAPER_KIND, hybrid=False)
