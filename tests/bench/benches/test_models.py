"""All models that drive portraits, side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.config import WARP, ReenactSettings
from mien.errors import ModelError
from mien_bench import command
from mien_bench.report import read

BEST = ReenactSettings().model


def test_the_command_measures_each_model(swaying: Path, pictures: list[Path], tmp_path: Path) -> None:
    numbers, page = tmp_path / "numbers.json", tmp_path / "page.html"
    few = ["--every", "8", "--limit", "3", "--frames", "4", "--warm-up", "1", "--repetitions", "1", "--threads", "1"]
    chosen = [
        "--models",
        WARP,
        BEST,
        "--clips",
        str(swaying),
        "--portraits",
        str(pictures[1]),
        *few,
        "--strips",
        "given",
    ]
    assert command.main(["models", *chosen, "--json", str(numbers), "--html", str(page)]) == 0
    (result,) = read(numbers).results
    (table,) = result.tables
    assert [row[0] for row in table.rows] == [WARP, BEST]
    assert [row[3] != "-" and float(row[3]) > 0 for row in table.rows] == [True, True]
    assert table.rows[0][4] == "-"
    assert float(table.rows[1][2]) > 1
    assert {row.condition["model"] for row in result.rows if row.name == "l1, face"} == {WARP, BEST}
    assert [strip.title for strip in result.strips] == [f"Strip: {WARP}", f"Strip: {BEST}"]
    assert all(check.kept for check in result.checks)
    assert "Models that drive portraits" in page.read_text()


def test_a_model_that_is_not_here_is_told() -> None:
    with pytest.raises(ModelError, match="nowhere"):
        command.main(["models", "--models", "nowhere"])
