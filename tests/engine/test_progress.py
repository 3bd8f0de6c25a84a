from __future__ import annotations

import io

import pytest

from mien.clock import ManualClock
from mien.progress import ProgressLine, describe
from mien.stats import Statistics


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("done", "total", "fps", "text"),
    [
        (0, 100, 0.0, "[........................] 0/100 frames  0.0 fps"),
        (50, 100, 25.0, "[############............] 50/100 frames  25.0 fps  0:02 left"),
        (1, 180_001, 25.0, "[........................] 1/180001 frames  25.0 fps  2:00:00 left"),
        (105, 100, 10.0, "[########################] 105/105 frames  10.0 fps  0:00 left"),
        (7, None, 12.5, "7 frames  12.5 fps"),
        (7, 0, 12.5, "7 frames  12.5 fps"),
    ],
)
def test_line(done: int, total: int | None, fps: float, text: str) -> None:
    assert describe(done, total, fps) == text


def _run(out: io.StringIO, seconds: float) -> list[str]:
    """A run of 100 frames that take `seconds` in all; what was said, piece by piece."""
    clock = ManualClock()
    statistics, line = Statistics(clock), ProgressLine(out, 100, clock)
    for _ in range(100):
        clock.advance(seconds / 100)
        statistics.frames_out += 1
        line(statistics)
    return [piece for piece in out.getvalue().replace("\n", "\r").split("\r") if piece]


def test_a_terminal_is_told_ten_times_a_second_at_most() -> None:
    assert 8 <= len(_run(Terminal(), seconds=1.0)) <= 10


def test_a_log_is_told_every_five_seconds_in_plain_lines() -> None:
    said = _run(io.StringIO(), seconds=20.5)
    assert len(said) in (3, 4)
    assert all("\x1b" not in piece for piece in said)


def test_clear_leaves_the_terminals_line_empty_and_a_log_alone() -> None:
    terminal, log = Terminal(), io.StringIO()
    ProgressLine(terminal, 1, ManualClock()).clear()
    ProgressLine(log, 1, ManualClock()).clear()
    assert terminal.getvalue() == "\r\x1b[2K"
    assert log.getvalue() == ""
