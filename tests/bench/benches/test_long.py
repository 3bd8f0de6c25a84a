from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

import mien
from mien.errors import SourceError
from mien.frame import Frame
from mien.sound.sound import Sound
from mien_bench import command
from mien_bench.benches.long import prolong
from mien_bench.memory import MemoryLog, resident, slope
from mien_bench.report import read


def test_laps_follow_each_other(swaying: Path, tmp_path: Path) -> None:
    prolong(swaying, 5.0, tmp_path / "longer.mp4")
    with mien.capture.open(tmp_path / "longer.mp4") as source:
        items = list(source)
    frames = [item.seconds for item in items if isinstance(item, Frame)]
    steps = [after - before for before, after in pairwise(frames)]
    assert len(frames) == pytest.approx(100, abs=4)
    assert sorted(steps)[:90] == pytest.approx([0.05] * 90, abs=1e-3)
    assert max(steps) < 0.16
    heard = [item for item in items if isinstance(item, Sound)]
    ends = [sound.seconds + sound.samples.shape[1] / sound.format.rate for sound in heard]
    begins = [sound.seconds for sound in heard]
    assert begins[1:] == pytest.approx(ends[:-1], abs=0.15)
    assert ends[-1] == pytest.approx(5.0, abs=0.2)


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(SourceError, match="cannot be copied"):
        prolong(tmp_path / "text.mp4", 5.0, tmp_path / "longer.mp4")


def test_memory_is_noted_at_every_so_many_frames() -> None:
    log = MemoryLog(every=3)
    assert [log() for _ in range(7)] == [False, False, True, False, False, True, False]
    assert log.frames == [3, 6]
    assert all(10 < megabytes < 1e5 for megabytes in [*log.megabytes, resident()])


def test_slope_leaves_the_warm_up_out() -> None:
    frames = [1000 * number for number in range(1, 11)]
    megabytes = [500.0, 700.0, *(900.0 + 2 * number for number in range(8))]
    assert slope(frames, megabytes, 0.2) == pytest.approx(2.0)
    assert slope(frames[:3], megabytes[:3], 0.5) is None
    assert slope([], [], 0.2) is None


def test_command_runs_it(
    swaying: Path, pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = tmp_path / "numbers.json"
    chosen = ["--driver", str(swaying), "--portrait", str(pictures[1]), "--size", "96", "--minutes", "0.06"]
    assert command.main(["long", *chosen, "--every", "20", "--json", str(numbers)]) == 0
    assert "frames a second, decode to encode" in capsys.readouterr().out
    (result,) = read(numbers).results
    rows = {row.name: row for row in result.rows}
    assert rows["frames"].median == pytest.approx(72, abs=4)
    assert result.charts[0].lines[0].x == (20.0, 40.0, 60.0)
    assert list(tmp_path.iterdir()) == [numbers]
