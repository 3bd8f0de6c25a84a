"""What each column's generator makes of the same pairs, by itself: no fusion, at its own size.

A pair's source is the photograph of an unseen person, animated; the photograph is the truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.config import ReenactSettings
from mien.face.points68 import MESH
from mien.paint.opening import open_painter
from mien.plane import placed
from mien.reenact.reenact import Reenact
from mien_bench.quality.puppet import towards
from mien_bench.quality.regions import crop_of, cut
from mien_bench.quality.self_reenactment import Scene

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

SOURCE: Final = "source unchanged"
"""Name of the answer that is the source itself: what a generator that learnt identity alone would give."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A column's result for a pair; pictures (S, S, 3)."""

    column: str
    identity: str
    source: Pixels
    source_points: Array
    """(68, 2) in pixels of the source's crop."""
    made: Pixels
    truth: Pixels
    points: Array
    """(68, 2) in pixels of the truth's crop."""
    landmarks: Array
    """(478, 3) of the truth, in its pixels."""


def answers(scenes: Sequence[Scene], bundle: Path, threads: int) -> Iterator[Answer]:
    """One for each moment of each scene, by the bundle's generator.

    Raises:
        ModelError, BackendError: the bundle cannot be run.
    """
    settings = ReenactSettings(model=str(bundle), backend="onnxruntime", threads=threads)
    with open_painter(settings, threads) as (painter, _):
        assert painter is not None
        side = painter.bundle.side
        for scene in scenes:
            portrait = scene.portrait
            appearance, reenact = painter.appearance(portrait), Reenact((portrait,))
            source, source_points = _seen(portrait.pixels, portrait.landmarks, side)
            for moment in scene.moments:
                size = (moment.truth.shape[1], moment.truth.shape[0])
                (posed,) = reenact(towards(moment.landmarks, size), 0.0)
                painting = painter.paint(appearance, posed).painting
                landmarks = placed(moment.landmarks, painting.matrix)
                yield Answer(
                    bundle.name,
                    scene.identity,
                    source,
                    source_points,
                    painting.generated,
                    cut(moment.truth, painting.matrix, side),
                    landmarks[list(MESH), :2],
                    landmarks,
                )


def unchanged(given: Sequence[Answer]) -> list[Answer]:
    """The source itself as the answer."""
    return [
        Answer(SOURCE, a.identity, a.source, a.source_points, a.source, a.truth, a.points, a.landmarks) for a in given
    ]


def _seen(pixels: Pixels, landmarks: Array, side: int) -> tuple[Pixels, Array]:
    """The crop of a portrait and its 68 points."""
    matrix = crop_of(landmarks, side)
    return cut(pixels, matrix, side), placed(landmarks, matrix)[list(MESH), :2]
