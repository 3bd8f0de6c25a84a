"""Every portrait and every driver, through H.264 and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.clock import ManualClock
from mien.config import WARP, ReenactSettings
from mien.errors import MienError, SourceError
from mien_bench import command
from mien_bench.benches import follow
from mien_bench.report import read
from mien_bench.roundtrip.follow_pairs import judge

SMALL = ReenactSettings(model=WARP, size=192)


def test_a_known_roll_is_found_again(swaying: Path, pictures: list[Path]) -> None:
    (pair,) = follow.follow([swaying], pictures[1:2], SMALL, ManualClock())
    assert pair.trouble is None
    assert pair.lost == 0
    assert pair.container is not None
    assert pair.container.frames == (44, 44)
    assert pair.container.latest < 1.0
    assert pair.container.sound == pytest.approx(0.0, abs=5.0)
    assert set(pair.output) == {"roll"}
    assert pair.output["roll"].correlation > 0.95
    assert pair.output["roll"].slope == pytest.approx(1.0, abs=0.15)
    assert pair.calm > 0
    assert abs(pair.target_leak["eye_width"].median) < 0.03


def test_command_prints_a_line_per_pair_and_keeps_no_picture(
    swaying: Path, pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = tmp_path / "numbers.json"
    chosen = ["--clips", str(swaying), "--portraits", *(str(path) for path in pictures[1:3])]
    assert command.main(["follow", *chosen, "--size", "128", "--json", str(numbers)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in said[1:3]] == [["swaying", "x", path.stem] for path in pictures[1:3]]
    assert list(tmp_path.iterdir()) == [numbers]
    (result,) = read(numbers).results
    assert {len(row.values) for row in result.rows} == {2}
    assert all(check.kept for check in result.checks if "frame" in check.name)


def test_a_sheet_is_kept_where_asked(swaying: Path, pictures: list[Path], tmp_path: Path) -> None:
    chosen = ["--clips", str(swaying), "--portraits", str(pictures[1]), "--size", "96", "--sheet", str(tmp_path / "to")]
    command.main(["follow", *chosen])
    assert [path.name for path in (tmp_path / "to").iterdir()] == [f"swaying--{pictures[1].stem}.jpg"]


def test_what_stops_a_pair_is_told_and_gates(
    pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    (pair,) = follow.follow([broken], pictures[:1], SMALL, ManualClock())
    assert pair.trouble is not None
    assert pair.trouble.startswith("SourceError: ")
    assert [check.passed for check in judge([pair])] == [False]
    chosen = ["follow", "--clips", str(broken), "--portraits", str(pictures[0]), "--size", "96"]
    assert command.main(chosen) == 0
    assert command.main([*chosen, "--gate"]) == 1
    assert "SourceError" in capsys.readouterr().out


def test_paths_that_name_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="expected at least one video"):
        command.main(["follow", "--clips", str(tmp_path)])
    with pytest.raises(SourceError, match="got nothing"):
        command.main(["follow", "--clips", str(tmp_path / "none.mp4")])


def test_a_bench_that_is_none_is_refused() -> None:
    with pytest.raises(MienError, match="got 'fellow'"):
        command.main(["fellow"])
