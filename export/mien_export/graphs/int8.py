"""Which int8 variant of a generator to keep: the fastest that is as good as any on unseen faces."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from onnx import ModelProto

from mien.manifest import Bundle, Graph
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_export.data.pairs import Pair
from mien_export.graphs.agreement import psnr
from mien_export.graphs.quantised import Quantiser, variants
from mien_export.graphs.reference import Arrays, Example, Reference, ran

ENOUGH: Final = 0.05
"""Decibels of loss by which a faster variant is still as good as a more exact one, or as float32."""


@dataclass(frozen=True, slots=True)
class RealPairs:
    """Pairs of whole crops, without which int8 cannot be made."""

    calibrating: Callable[[], Iterable[Pair]]
    """Of portraits trained on."""
    testing: Callable[[], Iterable[Pair]]
    """Of portraits not trained on."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A variant with what it loses."""

    name: str
    model: ModelProto
    loss: float
    """Decibels of PSNR against the truth, less than float32 has: of the picture shown or the painted one, whichever
    loses more."""
    likeness: float
    """PSNR of what it paints against what float32 paints."""

    def __str__(self) -> str:
        return f"{self.name}: {self.loss:.3f} dB less than fp32 against the truth, {self.likeness:.1f} dB against fp32"


def chosen(
    model: ModelProto,
    bundle: Bundle,
    levels: int,
    reference: Reference,
    pairs: RealPairs,
    threads: int,
    tell: Callable[[str], None],
) -> Choice:
    """The variant to keep, by `preferred`."""
    graph = bundle.graph("generator")
    calibrating = (example.generator for example in reference.examples(pairs.calibrating()))
    quantiser = Quantiser(model, graph.inputs, calibrating)
    choices: list[Choice] = []
    try:
        unseen = list(reference.examples(pairs.testing()))
        for variant in variants(levels):
            quantised = quantiser(variant)
            painted = _painted(quantised, graph, unseen, threads)
            choices.append(Choice(variant.name, quantised, _loss(painted, unseen), _likeness(painted, unseen)))
            tell(f"int8, {choices[-1]}, {len(unseen)} unseen pairs")
            if choices[-1].loss <= ENOUGH:
                break
    finally:
        quantiser.close()
    kept = preferred(choices)
    tell(f"int8: kept {kept.name}")
    return kept


def preferred(choices: list[Choice]) -> Choice:
    """The first, which is the fastest, of those that lose at most `ENOUGH` more than the best does."""
    least = min(choice.loss for choice in choices)
    return next(choice for choice in choices if choice.loss <= least + ENOUGH)


def _painted(model: ModelProto, graph: Graph, examples: Iterable[Example], threads: int) -> list[Arrays]:
    """Outputs of a model that takes and gives what `graph` does."""
    with tempfile.TemporaryDirectory(prefix="mien-int8-") as folder:
        path = Path(folder) / "generator.onnx"
        path.write_bytes(model.SerializeToString())
        session = OnnxRuntimeSession(replace(graph, path=path, precision="int8"), threads=threads)
        try:
            return [ran(session, example.generator) for example in examples]
        finally:
            session.close()


def _loss(painted: list[Arrays], examples: list[Example]) -> float:
    """Mean over examples, of the picture shown or of the one painted, whichever loses more."""
    losses = [
        (
            psnr(example.shown(example.painted), example.truth) - psnr(example.shown(own), example.truth),
            psnr(example.painted["generated"], example.truth) - psnr(own["generated"], example.truth),
        )
        for own, example in zip(painted, examples, strict=True)
    ]
    return float(np.mean(losses, axis=0).max())


def _likeness(painted: list[Arrays], examples: list[Example]) -> float:
    pictures = zip(painted, examples, strict=True)
    return float(np.mean([psnr(own["generated"], example.painted["generated"]) for own, example in pictures]))
