from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mien.emit.compare import CELL, COLUMNS, FOOT, GROUND, ROWS, SheetSink, Spread, fit
from mien.emit.sink import NullSink
from mien.errors import SinkError
from mien.frame import Frame


class Nowhere(NullSink):
    """A sink that only remembers how it ended."""

    end = ""

    def finish(self) -> None:
        self.end = "finished"

    def discard(self) -> None:
        self.end = "discarded"


def _frame(number: int, height: int = 32, width: int = 32) -> Frame:
    driver = Frame(np.full((height, width, 3), number, np.uint8), pts=number, time_base=Fraction(1, 25))
    return driver.answer(np.full((height, width, 3), 255 - number, np.uint8))


@pytest.mark.parametrize("count", [1, 5, 12, 13, 23, 24, 25, 100, 250])
def test_moments_are_spread_over_the_run(count: int) -> None:
    spread = Spread(12)
    for number in range(count):
        spread.see(_frame(number))
    numbers = [int(moment.driver[CELL // 2, CELL // 2, 0]) for moment in spread.moments()]
    assert len(numbers) == min(count, 12)
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 0
    assert numbers[-1] >= count - 1 - count // 6
    gaps = np.diff(numbers)
    assert len(gaps) == 0 or gaps.max() <= 2 * gaps.min()


def test_each_moment_holds_driver_and_answer() -> None:
    spread = Spread(4)
    spread.see(_frame(40))
    (moment,) = spread.moments()
    assert (moment.driver == 40).all()
    assert (moment.answer == 215).all()


@pytest.mark.parametrize(("height", "width"), [(480, 640), (640, 480), (1, 1), (1, 4000), (33, 31)])
def test_pictures_of_any_shape_fit_a_cell(height: int, width: int) -> None:
    cell = fit(np.full((height, width, 3), 200, np.uint8))
    assert cell.shape == (CELL, CELL, 3)
    share = (np.abs(cell.astype(int) - 200) < 2).all(axis=2).mean()
    assert share == pytest.approx(min(height, width) / max(height, width), abs=2 / CELL)
    assert set(np.unique(cell[(np.abs(cell.astype(int) - 200) > 60).any(axis=2)])) <= {GROUND}


def test_sheet_is_written_when_the_inner_sink_has_finished(tmp_path: Path) -> None:
    inner, path = Nowhere(), tmp_path / "sheet.png"
    with SheetSink(path, inner, {}, mark=False) as sink:
        for number in range(50):
            sink.write(_frame(number))
        assert not path.exists()
    assert (inner.frames, inner.end) == (50, "finished")
    assert list(tmp_path.iterdir()) == [path]
    with av.open(str(path)) as picture:
        pixels = next(picture.decode(video=0)).to_ndarray(format="rgb24")
    assert pixels.shape == (2 * ROWS * CELL + FOOT, COLUMNS * CELL, 3)
    assert (pixels[:CELL, :CELL] == 0).all()
    assert (pixels[CELL : 2 * CELL, :CELL] == 255).all()


def test_the_mark_hides_no_moment(tmp_path: Path) -> None:
    sheets = []
    for mark in (False, True):
        path = tmp_path / f"{mark}.png"
        with SheetSink(path, Nowhere(), {}, mark=mark) as sink:
            for number in range(50):
                sink.write(_frame(number))
        with av.open(str(path)) as picture:
            sheets.append(next(picture.decode(video=0)).to_ndarray(format="rgb24"))
    plain, marked = sheets
    assert (plain[:-FOOT] == marked[:-FOOT]).all()
    assert (plain[-FOOT:] != marked[-FOOT:]).any()


def test_a_failed_run_leaves_no_sheet(tmp_path: Path) -> None:
    inner = Nowhere()
    with pytest.raises(KeyboardInterrupt), SheetSink(tmp_path / "sheet.png", inner, {}) as sink:
        sink.write(_frame(0))
        raise KeyboardInterrupt
    assert inner.end == "discarded"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "reason"), [("a.mp4", "to end in .png"), ("no/a.png", "to exist, got none")])
def test_a_sheet_that_cannot_be_is_refused_at_once(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=reason):
        SheetSink(tmp_path / name, Nowhere(), {})
