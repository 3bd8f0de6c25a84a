"""Chains of one morph at one degree after another."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.chain import ReenactChain, open_chain
from mien.config import ReenactSettings
from mien.face.motion import identity_motion
from mien.face.pose import Angles
from mien.frame import Frame
from mien.manifest import Bundle
from mien.morphing.mesh_morph import MeshMorph
from mien.morphing.sequence import MorphSequence
from mien.portrait.portrait import Portrait
from mien.stats import UNTIMED

TURNED = replace(identity_motion(), turn=Angles(8.0, 3.0, 2.0))


@pytest.fixture(scope="module")
def morph(portraits: dict[str, Portrait]) -> MeshMorph:
    return MeshMorph(portraits["mira"], portraits["teo"])


def settings_of(model: str) -> ReenactSettings:
    return ReenactSettings(model=model, backend="onnxruntime", smooth=0.0)


def shown(chain: ReenactChain, portrait: Portrait, number: int = 0) -> NDArray[np.uint8]:
    return chain(TURNED, Frame(portrait.pixels, number, Fraction(1, 25)), "full", UNTIMED)


@pytest.mark.parametrize("degree", [0.0, 0.3, 1.0])
def test_a_chain_of_the_sequence_shows_what_one_of_its_own_would(
    morph: MeshMorph, whole_bundle: Bundle, degree: float
) -> None:
    settings = settings_of(str(whole_bundle.folder))
    first, alone = (open_chain((morph(at),), settings, 1) for at in (0.6, degree))
    chain = MorphSequence(morph, first, 1).at(degree)
    one, other = shown(chain, morph.ends[0]), shown(alone, morph.ends[0])
    assert np.abs(one.astype(int) - other).mean() < (0.02 if degree in (0.0, 1.0) else 1.0)
    assert chain.close is first.close, "it holds what the first one opened"
    alone.close()
    chain.close()


def test_hair_swings_on_when_the_degree_changes(morph: MeshMorph) -> None:
    """Of a turned head: a chain that begins anew would let its hair hang still in the next frame."""
    sequence = MorphSequence(morph, open_chain((morph(0.1),), settings_of("warp"), 1), 1)
    chain = sequence.chain
    for number in range(3):
        turned = replace(TURNED, turn=Angles(6.0 * number, 0.0, 0.0))
        posed = chain.reenact(turned, number / 25)
    after = sequence.at(0.1 + 1e-6)
    again = replace(TURNED, turn=Angles(12.0, 0.0, 0.0))
    (swinging,), (rest,) = (
        after.reenact(again, 0.08),
        open_chain((morph(0.1),), settings_of("warp"), 1).reenact(again, 0.08),
    )
    (before,) = posed
    assert np.abs(swinging.vertices - before.vertices).max() < 0.5
    assert np.abs(rest.vertices - before.vertices).max() > 2
