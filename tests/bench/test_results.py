"""Results: rows, files of them, and how steady a machine was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.bench.samples_of_results import everything, result, row

from mien.errors import SinkError, SourceError
from mien_bench.charts import MOST_POINTS, cdf, cost, stack, timeline
from mien_bench.control import Control, judge
from mien_bench.formatting import as_text, condition_text, number
from mien_bench.report import machine, read, report, versions, write
from mien_bench.results import Line, Row


def test_a_row_keeps_its_repetitions() -> None:
    found = row(1.0, 2.0, 3.0, 10.0)
    assert (found.median, found.spread) == (2.5, (1.75, 4.75))
    assert row(2.0).spread == (2.0, 2.0)
    assert row(1.0, size=2, threads=1).key == "frame size=2 threads=1"
    with pytest.raises(ValueError, match="at least one value"):
        row()
    with pytest.raises(ValueError, match="finite values"):
        row(1.0, float("nan"))
    with pytest.raises(ValueError, match="equal lengths"):
        Line("frames", (1.0,), ())


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    whole = everything()
    write(tmp_path / "a.json", whole)
    assert read(tmp_path / "a.json") == whole
    form = json.loads((tmp_path / "a.json").read_text())
    assert form["results"][0]["rows"][0]["median"] == 3.5


@pytest.mark.parametrize(
    ("text", "said"), [("no", "got none"), ("[]", "schema 1, got None"), ('{"schema": 2}', "schema 1, got 2")]
)
def test_what_holds_no_results_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(SourceError, match=said):
        read(path)
    path.write_text('{"schema": 1, "results": [{}]}')
    with pytest.raises(SourceError, match="got something else"):
        read(path)
    with pytest.raises(SourceError, match="expected results"):
        read(tmp_path / "none.json")
    with pytest.raises(SinkError, match="expected to be able to write the output"):
        write(tmp_path / "none" / "a.json", everything())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("machine",), []),
        (("when",), "yesterday"),
        (("results",), {"a": 1}),
        (("results", 0), 3),
        (("results", 0, "rows", 0, "condition"), 3),
        (("results", 0, "rows", 0, "name"), None),
        (("results", 0, "rows", 0, "values"), ["a"]),
    ],
)
def test_values_of_another_kind_are_refused(tmp_path: Path, place: tuple[str | int, ...], value: object) -> None:
    path = tmp_path / "a.json"
    write(path, everything())
    form = within = json.loads(path.read_text())
    for step in place[:-1]:
        within = within[step]
    within[place[-1]] = value
    path.write_text(json.dumps(form))
    with pytest.raises(SourceError, match="got something else"):
        read(path)


def test_a_file_of_brackets_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[" * 100_000)
    with pytest.raises(SourceError, match="expected results of mien bench, got none"):
        read(path)


def test_a_report_says_what_it_ran_on() -> None:
    found = report([result(row(1.0))], "quick")
    assert found.machine["cores"] == machine()["cores"]
    assert found.versions["numpy"] == versions()["numpy"]
    assert found.when.endswith("+00:00")


def test_a_result_is_told_on_a_terminal() -> None:
    whole = everything().results[0]
    assert f"{len(whole.rows)} figures, in --json and --html" in as_text(whole)
    said = as_text(replace(whole, tables=()))
    for words in ("FAIL  p95", "ok    flat", "3.25 .. 3.75", "size 512", "note: no camera here", "machine too noisy"):
        assert words in said
    assert condition_text({"hint": True, "fusion": False, "size": 2}) == "hint, no fusion, size 2"
    assert [number(value) for value in (0.01234, 1.234, 12.34, 1234.4, 2e6)] == [
        "0.012",
        "1.23",
        "12.3",
        "1234",
        "2.00e+06",
    ]


def test_a_machine_is_noisy_where_its_control_spreads_or_others_run() -> None:
    assert not judge([1.0] * 8, [1.0] * 8, 0.02).noisy
    assert judge([1.0, 1.5] * 4, [1.0] * 8, 0.02).noisy
    assert judge([1.0] * 8, [1.0, 1.5] * 4, 0.02).noisy
    assert judge([1.0] * 8, [1.0] * 8, 0.3).noisy
    assert "only 2 control samples" in judge([1.0, 2.0], [1.0, 2.0], 0.0).words


def test_a_bench_that_times_nothing_is_not_judged_by_noise() -> None:
    found = judge([], [], 0.9)
    assert (found.noisy, found.words) == (False, "")


def test_the_control_takes_a_sample_each_time() -> None:
    times = iter(range(1000))
    control = Control(lambda: float(next(times)))
    control()
    control()
    assert control.steadiness().copy_ms == (1000.0, 1000.0)
    assert 0.0 <= control.steadiness().others <= 1.0


def test_distributions_end_at_all_of_them_and_keep_the_worst() -> None:
    (line,) = cdf("latency", {"file": [*range(5000), 1e6], "none": []}).lines
    assert len(line.x) <= MOST_POINTS
    assert (line.x[-1], line.y[-1]) == (1e6, 100.0)


def test_timelines_keep_the_extremes_and_join_levels() -> None:
    latency = [1.0] * 5000
    latency[777] = 50.0
    levels = ["full"] * 3000 + ["half"] * 2000
    chart = timeline("run", [number / 25 for number in range(5000)], latency, levels, drops=[3])
    assert max(chart.lines[0].y) == 50.0
    assert [(band.name, band.begin, band.end) for band in chart.bands] == [
        ("full", 0.0, 120.0),
        ("half", 120.0, 4999 / 25),
    ]
    assert chart.marks == (3.0,)


def test_cost_is_fitted_where_there_are_points_enough() -> None:
    chart = cost("cost", "N", "ms", {1: [12.0], 2: [22.0], 4: [42.0, 41.0, 43.0]})
    assert "10 x +2" in chart.about
    assert len(cost("cost", "N", "ms", {1: [12.0]}).lines) == 1


def test_rows_say_which_way_is_good() -> None:
    assert Row("a", "ms", (1.0,), "lower").better == "lower"


def test_bars_are_made_of_the_same_parts() -> None:
    parse, fuse = stack("time", "ms", {"warp": {"parse": 2.0, "fuse": 1.0}, "live": {"parse": 3.0}}).lines
    assert (parse.name, parse.x, parse.labels) == ("parse", (2.0, 3.0), ("warp", "live"))
    assert (fuse.x, fuse.y) == ((1.0, 0.0), (0.0, 1.0))
