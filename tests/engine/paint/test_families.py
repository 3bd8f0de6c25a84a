"""Any family's graphs are run as its rules say: once or for every frame, linked, with inputs filled by role."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.chain import chain_of
from mien.errors import ModelError
from mien.face.motion import identity_motion
from mien.face.pose import Angles
from mien.manifest import Bundle, Family, Graph, GraphRule, Link, Port, TensorSpec, families
from mien.manifest.family import SIGNED, UNIT
from mien.paint.painter import Painter
from mien.portrait.portrait import Portrait
from mien.reenact.reenact import Reenact

SIDE = 64
PICTURE, WARPED = Port("picture", 3, "crop", SIGNED), Port("warped", 3, "view", SIGNED)
CODE, LABELS = Port("style_code", 5, "vector"), Port("labels", 4, "view", UNIT)
GENERATED = Port("generated", 3, "view", SIGNED)
VIDEO = Family(
    "video",
    graphs=(
        GraphRule("encoder", "once", (PICTURE,), (CODE,)),
        GraphRule("segmenter", "frame", (WARPED,), (LABELS,)),
        GraphRule("generator", "frame", (LABELS, CODE, PICTURE), (GENERATED,)),
    ),
    links=(
        Link("encoder", "generator", frozenset({"style_code"})),
        Link("segmenter", "generator", frozenset({"labels"})),
    ),
)
"""A style code of the portrait, labels of every frame, a generator on both and on the portrait; no mask."""
TURNED = replace(identity_motion(), turn=Angles(8.0, 0.0, 0.0))


class Fake:
    """A session whose outputs count its runs."""

    backend, precision, threads = "fake", "fp32", 1

    def __init__(self, graph: Graph, ran: list[str]) -> None:
        self._name, self._ran = graph.name, ran
        self.inputs: dict[str, NDArray[np.float32]] = {s.name: np.zeros(s.sized(1), np.float32) for s in graph.inputs}
        self.outputs: dict[str, NDArray[np.float32]] = {s.name: np.zeros(s.sized(1), np.float32) for s in graph.outputs}

    def run(self) -> None:
        self._ran.append(self._name)
        for array in self.outputs.values():
            array[...] = len(self._ran) / 16

    def close(self) -> None:
        self._ran.append(f"{self._name} closed")


def _tensors(ports: tuple[Port, ...]) -> tuple[TensorSpec, ...]:
    found = []
    for port in ports:
        assert isinstance(port.channels, int)
        places = () if port.extent == "vector" else (SIDE, SIDE)
        found.append(TensorSpec(port.role, port.role, ("batch", port.channels, *places), range=port.range))
    return tuple(found)


def bundle_of(family: Family) -> Bundle:
    graphs = tuple(
        Graph(rule.name, "fp32", Path("a"), "", _tensors(rule.inputs), _tensors(rule.outputs), rule.runs)
        for rule in family.graphs
    )
    return Bundle(Path(), "a", family.name, family.name, "s", SIDE, "", "", "", "", "", graphs)


def painter_of(family: Family, monkeypatch: pytest.MonkeyPatch) -> tuple[Painter, list[str], dict[str, Fake]]:
    monkeypatch.setattr(families, "FAMILIES", {family.name: family})
    bundle, ran, opened = bundle_of(family), list[str](), dict[str, Fake]()

    def opening(name: str) -> Fake:
        opened[name] = Fake(bundle.graph(name), ran)
        return opened[name]

    return Painter(bundle, opening), ran, opened


def test_graphs_run_when_their_rules_say(portrait: Portrait, monkeypatch: pytest.MonkeyPatch) -> None:
    painter, ran, opened = painter_of(VIDEO, monkeypatch)
    appearance = painter.appearance(portrait)
    assert ran == ["encoder", "encoder closed"]
    reenact = Reenact((portrait,))
    for motion in (identity_motion(), TURNED):
        (posed,) = reenact(motion, 0.0)
        painted = painter.paint(appearance, posed)
    assert ran[2:] == ["segmenter", "generator"] * 2
    given = opened["generator"].inputs
    assert (given["style_code"] == 1 / 16).all()
    assert (given["labels"] == opened["segmenter"].outputs["labels"]).all()
    assert given["picture"].std() > 0.05  # a role of the portrait alone, in a graph of a frame
    assert (painted.painting.mask == 0).all()
    painter.close()
    assert ran[-2:] == ["segmenter closed", "generator closed"]


def test_what_hangs_on_the_portrait_alone_follows_the_portrait(
    portraits: dict[str, Portrait], monkeypatch: pytest.MonkeyPatch
) -> None:
    painter, _, opened = painter_of(VIDEO, monkeypatch)
    pictures = []
    for name in ("mira", "aldo", "mira"):
        (posed,) = Reenact((portraits[name],))(identity_motion(), 0.0)
        painter.paint(painter.appearance(portraits[name]), posed)
        pictures.append(opened["generator"].inputs["picture"].copy())
    np.testing.assert_array_equal(pictures[0], pictures[2])
    assert not np.array_equal(pictures[0], pictures[1])


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (GraphRule("a", "request", (PICTURE,), (GENERATED,)), "expected a graph of a frame that gives `generated`"),
        (GraphRule("a", "frame", (PICTURE,), (LABELS,)), "expected a graph of a frame that gives `generated`"),
        (GraphRule("a", "frame", (LABELS,), (GENERATED,)), "role labels: expected something that fills it, got none"),
    ],
)
def test_what_cannot_be_painted_is_told(rule: GraphRule, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=reason):
        painter_of(Family("odd", (rule,)), monkeypatch)


def test_a_familys_stage_says_which_chain_runs_it() -> None:
    assert chain_of(None) == ("reenact", "fuse", "smooth")
    assert chain_of(VIDEO) == ("reenact", "paint", "fuse", "smooth")
    with pytest.raises(ModelError, match="family video: expected graphs of the stages paint, got 'style'"):
        chain_of(replace(VIDEO, stage="style"))
