"""Verdicts: from pairs of repetitions, and none where a machine or chance may be the cause."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.bench.samples_of_results import STEADY, report, result, row

from mien_bench import command
from mien_bench.compare import change_of, compare
from mien_bench.report import write
from mien_bench.results import Row, Steadiness

BEFORE = (10.0, 10.2, 9.9, 10.1, 10.0)


def word(before: Row, after: Row, steadiness: Steadiness = STEADY) -> str:
    (verdict,) = compare(report(result(before)), report(result(after, steadiness=steadiness)))
    return verdict.word


@pytest.mark.parametrize(
    ("factor", "better", "expected"),
    [
        (1.0, "lower", "same"),
        (1.2, "lower", "worse"),
        (0.8, "lower", "better"),
        (1.2, "higher", "better"),
        (0.8, "higher", "worse"),
        (1.03, "lower", "same"),
    ],
)
def test_a_change_is_judged_by_which_way_is_good(factor: float, better: str, expected: str) -> None:
    after = [value * factor * (1 + 0.001 * (i % 3)) for i, value in enumerate(BEFORE)]
    assert word(row(*BEFORE, better=better), row(*after, better=better)) == expected


def test_pairs_show_what_the_spread_of_each_would_hide() -> None:
    drift = np.geomspace(10, 40, 8)
    assert word(row(*drift), row(*(drift * 1.1))) == "worse"
    assert word(row(*drift), row(*(drift * 1.1)[:7])) == "same"


def test_chance_alone_is_seldom_called_a_change() -> None:
    random = np.random.default_rng(0)
    called = 0
    for _ in range(400):
        a, b = np.exp(random.normal(0, 0.2, (2, 5)))
        called += word(row(*a), row(*b)) != "same"
    assert called < 12  # of 400, at 99 %


def test_what_the_machine_may_have_done_is_unsure() -> None:
    slower = row(*(value * 1.5 for value in BEFORE))
    assert word(row(*BEFORE), slower, replace(STEADY, noisy=True)) == "unsure"
    assert word(row(*BEFORE), slower, replace(STEADY, compute_ms=(7.0,) * 4)) == "unsure"
    assert word(row(*BEFORE), slower, replace(STEADY, compute_ms=())) == "worse"


def test_few_values_are_unsure_unless_they_hardly_differ() -> None:
    assert word(row(1.0), row(1.01)) == "same"
    assert word(row(1.0), row(2.0)) == "unsure"
    assert word(row(0.0, 0.0, 0.0), row(0.0, 0.0, 0.0)) == "same"
    assert change_of((1.0, 1.0), (2.0, 2.0)) is None


def test_rows_that_come_go_or_are_not_judged() -> None:
    before = report(result(row(1.0), row(1.0, name="old"), row(1.0, name="told", better="neither")), result(bench="a"))
    after = report(result(row(1.0), row(1.0, name="new"), row(9.0, name="told", better="neither")))
    assert [(one.row.name, one.word) for one in compare(before, after)] == [
        ("frame", "same"),
        ("new", "new"),
        ("old", "gone"),
    ]


def test_the_exit_code_gates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(tmp_path / name) for name in ("a.json", "b.json")]
    write(Path(files[0]), report(result(row(*BEFORE, size=512))))
    write(Path(files[1]), replace(report(result(row(*(v * 2 for v in BEFORE), size=512))), versions={"mien": "0.2.0"}))
    assert command.main(["compare", *files]) == 1
    said = capsys.readouterr().out
    assert "other mien: 0.1.0, then 0.2.0" in said
    assert "worse    +100.0%" in said
    assert command.main(["compare", *reversed(files)]) == 0
    assert command.main(["compare", files[0], files[0]]) == 0
    assert "1 same" in capsys.readouterr().out
