from __future__ import annotations

import contextlib
import io
import os
import pty
import shutil
import termios

import pytest

from mien.clock import ManualClock
from mien.commands.progress import ProgressLine, columns_of, describe
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


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (61, "[############............] 50/100 frames  25.0 fps  0:02 left"),
        (50, "[######.......] 50/100 frames  25.0 fps  0:02 left"),
        (41, "[##..] 50/100 frames  25.0 fps  0:02 left"),
        (40, "50/100 frames  25.0 fps  0:02 left"),
        (20, "50/100 frames  25.0 "),
    ],
)
def test_a_narrow_terminal_is_told_the_numbers_first(columns: int, text: str) -> None:
    assert describe(50, 100, 25.0, columns) == text
    assert len(describe(50, 100, 25.0, columns)) <= columns
    assert describe(7, None, 12.5, 8) == "7 frames"


@pytest.mark.parametrize("columns", [30, 60, 0])
def test_the_line_is_as_long_as_its_own_terminal_is_wide(columns: int) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    with os.fdopen(theirs, "w") as terminal:
        assert columns_of(terminal) == (columns or shutil.get_terminal_size().columns) - 1
    os.close(ours)


@pytest.mark.parametrize("closed", [True, False])
def test_a_terminal_that_is_gone_ends_nothing(closed: bool) -> None:
    ours, theirs = pty.openpty()
    clock = ManualClock()
    terminal = os.fdopen(theirs, "w")
    line = ProgressLine(terminal, 100, clock)
    os.close(ours)
    if closed:
        with contextlib.suppress(OSError):
            terminal.close()
    clock.advance(1.0)
    line(Statistics(clock))
    line.clear()
    with contextlib.suppress(OSError):
        terminal.close()


def test_without_a_place_to_tell_it_nothing_is_told() -> None:
    clock = ManualClock()
    line = ProgressLine(None, 100, clock)
    clock.advance(60.0)
    line(Statistics(clock))
    line.clear()


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
