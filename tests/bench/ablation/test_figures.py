"""Figures and numbers of ablation columns, of answers whose values are known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import SourceError
from mien.face.points68 import MESH
from mien.parse.models import FaceMesh
from mien.plane import placed
from mien.portrait.portrait import Portrait
from mien_bench.ablation import figures, scores
from mien_bench.ablation.answers import SOURCE, Answer, unchanged
from mien_bench.ablation.scores import FULL, MEASURES, Score, Scorer
from mien_bench.quality.regions import crop_of, cut

SIDE = 64


def answer_of(portrait: Portrait, column: str = FULL) -> Answer:
    """That is the truth itself."""
    matrix = crop_of(portrait.landmarks, SIDE)
    picture, landmarks = cut(portrait.pixels, matrix, SIDE), placed(portrait.landmarks, matrix)
    points = landmarks[list(MESH), :2]
    return Answer(column, "someone", picture, points, picture, picture, points, landmarks)


def score(column: str, person: int, l1: float) -> Score:
    values = np.full(len(MEASURES), np.nan)
    values[0] = l1
    return Score(column, f"face {person}", values)


def test_errors_have_the_papers_colours() -> None:
    error = np.array([[0.0, 48.0, 96.0, 255.0]], np.float32)
    colours = figures.heat(error)
    np.testing.assert_allclose(colours[0, 0], (68, 1, 84), atol=1)
    np.testing.assert_allclose(colours[0, 1], (33, 145, 140), atol=3)
    np.testing.assert_allclose(colours[0, 2], (253, 231, 37), atol=1)
    np.testing.assert_array_equal(colours[0, 2], colours[0, 3])


def test_an_answer_that_is_the_truth_has_no_error(portrait: Portrait) -> None:
    answer = answer_of(portrait)
    with FaceMesh(still=True, most=1) as mesh:
        scorer = Scorer(mesh, None)
        found = dict(zip(MEASURES, scorer(answer).values, strict=True))
        worse = dict(zip(MEASURES, scorer(replace(answer, made=np.full_like(answer.truth, 90))).values, strict=True))
    assert found["L1"] == 0
    assert found["SSIM"] == pytest.approx(1)
    assert found["landmarks off"] < 8
    assert worse["L1"] > 20
    assert worse["SSIM"] < 0.6
    assert np.isnan(worse["landmarks off"])
    assert np.isnan(found["identity, distance"])


def test_columns_are_compared_person_by_person() -> None:
    marks = [score(FULL, person, 5.0 + person) for person in range(8)]
    marks += [score("no-pixel", person, 6.0 + person) for person in range(8)]
    marks += [score(SOURCE, person, 20.0) for person in range(8)]
    table = scores.table(marks)
    assert [row[0] for row in table.rows] == [FULL, "no-pixel", SOURCE]
    assert table.rows[0][1].startswith("8.50 [")
    assert table.rows[1][1].endswith("*")
    assert table.rows[0][4] == "-"
    (check,) = scores.checks(marks, ("no-pixel", "no-features"))
    assert check.kept
    assert check.got.startswith("+1.000")
    assert {row.name for row in scores.rows(marks)} == {"L1"}


def test_strips_show_every_column(portrait: Portrait) -> None:
    own = answer_of(portrait)
    by_column = {FULL: [own, own], SOURCE: unchanged([own, own])}
    strip = figures.errors(by_column)
    assert strip.labels == (
        *("source", "target landmarks", "target", FULL, SOURCE),
        *(f"error: {name}" for name in (FULL, SOURCE)),
    )
    assert figures.samples([own]).labels == ("source", "its landmarks", "result", "target landmarks", "target")
    picture = figures.grid([[own.source, own.truth], [own.made, own.truth]])
    side = 2 * figures.CELL + figures.GAP
    assert picture.shape == (side, side, 3)


def test_landmarks_are_drawn_where_they_are(portrait: Portrait) -> None:
    drawn: NDArray[np.uint8] = figures.drawn(np.array([[15.5, 31.5]]), SIDE)
    rows, columns = np.nonzero(drawn[..., 0])
    assert (rows.mean(), columns.mean()) == (pytest.approx(64, abs=1), pytest.approx(32, abs=1))


def test_terms_become_bars_and_curves(tmp_path: Path) -> None:
    path = tmp_path / "terms.jsonl"
    lines = [{"step": 10 * n, "critic": 1.4, "pixel": 1 / n} | ({"triple": 0.5} if n > 5 else {}) for n in range(1, 21)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    terms = {FULL: figures.read_terms(path), "lost": figures.read_terms(tmp_path / "none.jsonl")}
    weights = figures.weights_of("adversarial 1, pixel 10, triple 100, perceptual 10 (VGG-16 from a, b 3)")
    assert weights == {"adversarial": 1, "pixel": 10, "triple": 100, "perceptual": 10}
    bars = figures.bars({FULL: terms[FULL]}, {FULL: weights})
    assert {line.name: line.x[0] for line in bars.lines} == {
        "pixel": pytest.approx(10 * (1 / 19 + 1 / 20) / 2),
        "triple": pytest.approx(50),
    }
    charts = {chart.title: chart for chart in figures.curves(terms)}
    assert list(charts) == ["Training: critic", "Training: pixel", "Training: triple"]
    assert charts["Training: triple"].lines[0].x[0] == 60
    path.write_text("no terms\n")
    with pytest.raises(SourceError, match="expected terms of a training, got none"):
        figures.read_terms(path)
