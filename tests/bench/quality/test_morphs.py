"""What is measured of morphs: whether likeness goes one way, and that each step is timed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mien import samples
from mien.config import WARP
from mien.portrait.prepare import prepare_to_fit
from mien_bench.quality import morphs
from mien_bench.quality.clips import Material
from mien_bench.quality.dlib_face import DlibFace
from mien_bench.quality.morphs import CHANGES, DEGREES, Likeness, likeness, morph_tables, timed

RISING = tuple(np.linspace(0, 0.8, len(DEGREES)))


@pytest.mark.parametrize(
    ("first", "monotone"),
    [(RISING, True), ((*RISING[:4], RISING[3] - 0.01, *RISING[5:]), True), ((*RISING[:4], 0.1, *RISING[5:]), False)],
)
def test_one_step_that_leads_back_is_seen_but_not_the_embeddings_noise(
    first: tuple[float, ...], monotone: bool
) -> None:
    assert Likeness("a to b", first, RISING[::-1]).is_monotone is monotone


def test_distances_are_to_the_pictures_at_both_ends() -> None:
    """The detector's identity is a picture's mean brightness."""

    def grey(degree: float) -> Any:
        return type("Made", (), {"pixels": np.full((4, 4, 3), round(200 * degree), np.uint8)})

    def detect(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> DlibFace:
        return DlibFace(np.zeros((68, 2)), np.array([pixels.mean()]))

    found = likeness("a to b", grey, detect)  # type: ignore[arg-type]
    assert found.first[0] == found.second[-1] == 0
    assert found.first[-1] == found.second[0] == 200
    assert found.is_monotone


def test_every_step_of_a_morph_is_timed() -> None:
    first, second = (prepare_to_fit((128, 128), path)[0] for path in list(samples.portraits().values())[1:3])
    times = timed(first, second, WARP, 1)
    assert len(times.preparing) == 1
    assert [len(each) for each in (times.blending, times.changing, times.plain, times.morphed)] == [CHANGES] * 4


def test_without_dlib_the_rest_is_made_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien_bench.quality.dlib_face.MODELS", "no_such_distribution")
    monkeypatch.setattr(morphs, "SIDE", 96)
    monkeypatch.setattr(morphs, "SIZES", (96,))
    there = Material((), tuple(list(samples.portraits().values())[:2]), None, 10, None)
    part = morph_tables(there, WARP, 1)
    assert [strip.labels[0] for strip in part.strips] == ["degree 0"]
    assert {row.name for row in part.rows} >= {"morph: blending", "morph: changing the degree"}
    assert "no identity distances" in part.notes[-1]
