"""Models asked for a picture whose truth is known: every scene, every condition, every model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mien.config import Mouth
from mien_bench.quality.puppet import open_puppet, settings_for, towards
from mien_bench.quality.scene import CONDITIONS, Moment, Scene
from mien_bench.quality.scores import Scored, score

Pixels = NDArray[np.uint8]
Watcher = Callable[[Scene, Moment, str, str, Pixels], None]
"""Told (scene, moment, model, condition, answer) of each answer."""


def measure(
    scenes: Iterable[Scene], models: Sequence[str], threads: int | None = None, watch: Watcher | None = None
) -> Iterator[Scored]:
    """The score of each answer, as it is made.

    Raises:
        MienError: a model cannot be opened.
    """
    for scene in scenes:
        for model in models:
            for condition in CONDITIONS:
                yield from _answers(scene, model, condition, threads, watch)


def _answers(scene: Scene, model: str, condition: str, threads: int | None, watch: Watcher | None) -> Iterator[Scored]:
    mouth: Mouth = "none" if condition == "none" else "driver"
    portrait = scene.portrait
    with open_puppet(portrait, settings_for(model, mouth, threads=threads)) as puppet:
        for number, moment in enumerate(scene.moments):
            shown = puppet(towards(moment.landmarks, portrait.size, moment.hints[condition]), number)
            values = score(shown.pixels, moment.truth, moment.landmarks, portrait.landmarks)
            if watch is not None:
                watch(scene, moment, model, condition, shown.pixels)
            yield Scored(scene.identity, moment.name, model, condition, values)
