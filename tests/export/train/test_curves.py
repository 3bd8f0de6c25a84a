"""Terms over the steps of a run, beside its checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

from mien_export.train.loop import CURVES, Curves
from mien_export.train.loop import TERMS_EVERY as EVERY


def lines(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_lines_hold_the_means_of_the_steps_that_have_a_term(tmp_path: Path) -> None:
    curves = Curves(tmp_path / CURVES, 0)
    for step in range(1, 2 * EVERY + 4):
        curves.add(step, {"a": float(step)} | ({"b": 1.0} if step > EVERY and step % 2 else {}))
    curves.write()
    first, second = lines(tmp_path / CURVES)
    assert first == {"step": EVERY, "a": (EVERY + 1) / 2}
    assert second == {"step": 2 * EVERY, "a": (3 * EVERY + 1) / 2, "b": 1.0}


def test_what_a_killed_run_wrote_beyond_its_checkpoint_goes(tmp_path: Path) -> None:
    curves = Curves(tmp_path / CURVES, 0)
    for step in range(1, 3 * EVERY + 1):
        curves.add(step, {"a": 1.0})
    curves.write()
    again = Curves(tmp_path / CURVES, 2 * EVERY + 3)
    for step in range(2 * EVERY + 4, 3 * EVERY + 1):
        again.add(step, {"a": 2.0})
    again.write()
    assert [line["a"] for line in lines(tmp_path / CURVES)] == [1.0, 1.0, 2.0]
