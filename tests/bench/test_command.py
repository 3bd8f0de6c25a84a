"""The benches as a whole: each in the same form, several in one run, and the README's figures out of it."""

from __future__ import annotations

import argparse
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from tests.bench.samples_of_results import everything, report, result, row

from mien.errors import SettingError, SinkError, SourceError
from mien_bench import command, readme
from mien_bench.command import BENCHES, parser_of
from mien_bench.control import Control
from mien_bench.report import Report, read, write
from mien_bench.results import Check, Result


class Tried:
    """A bench that finds one thing."""

    @staticmethod
    def add_options(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--kept", action="store_true")

    @staticmethod
    def run(options: argparse.Namespace, control: Control) -> Result:
        control()
        return replace(result(row(1.0), bench="tried"), checks=(Check("kept", "so", "or not", options.kept),))


class Broken(Tried):
    """A bench that does not run."""

    @staticmethod
    def run(options: argparse.Namespace, control: Control) -> Result:
        raise SettingError("expected a camera, got none")


@pytest.fixture
def benches(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"tried": Tried, "broken": Broken}
    monkeypatch.setattr(command, "bench_of", found.__getitem__)
    monkeypatch.setattr(command, "BENCHES", {"tried": "what is tried", "broken": "nothing"})
    monkeypatch.setattr(command, "PROFILES", {"quick": {"tried": ("--kept",), "broken": ()}})


@pytest.mark.parametrize("name", BENCHES)
def test_every_bench_has_the_same_form(name: str) -> None:
    parser = parser_of(name, import_module(f"mien_bench.benches.{name}"))
    options = parser.parse_args([])
    assert (options.json, options.html, options.gate) == (None, None, False)


@pytest.mark.parametrize("profile", command.PROFILES)
def test_profiles_name_options_that_there_are(profile: str) -> None:
    for name, arguments in command.PROFILES[profile].items():
        parser_of(name, import_module(f"mien_bench.benches.{name}")).parse_args(arguments)


@pytest.mark.usefixtures("benches")
def test_a_bench_is_written_shown_and_gated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    json, html = tmp_path / "a.json", tmp_path / "a.html"
    assert command.run("tried", ["--json", str(json), "--html", str(html)]) == 0
    assert command.run("tried", ["--gate"]) == 1
    assert command.run("tried", ["--gate", "--kept"]) == 0
    assert "FAIL  kept" in capsys.readouterr().out
    (found,) = read(json).results
    assert len(found.steadiness.copy_ms) == 1
    assert found.seconds > 0
    assert "what was measured" in html.read_text()


@pytest.mark.usefixtures("benches")
def test_a_bench_that_fails_stops_no_other_but_the_gate(tmp_path: Path) -> None:
    json = tmp_path / "a.json"
    assert command.run_profile(["--json", str(json)]) == 0
    assert command.run_profile(["--gate"]) == 1
    tried, broken = read(json).results
    assert tried.checks[0].kept
    assert broken.checks[0].got == "expected a camera, got none"


def test_checkouts_are_found_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "LivePortrait").mkdir()
    assert command.checkouts(tmp_path) == ["--live-portrait", str(tmp_path / "LivePortrait")]
    assert command.checkouts(None) == []


def test_the_chart_and_the_figures_of_a_page_are_replaced(tmp_path: Path) -> None:
    steady = _steady(everything())
    write(tmp_path / "a.json", steady)
    page, chart = tmp_path / "figures.md", tmp_path / "latency.svg"
    page.write_text(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n")
    arguments = ["readme", str(tmp_path / "a.json"), "--figures", str(page), "--chart", str(chart)]
    assert command.main(arguments) == 0
    text, drawn = page.read_text(), chart.read_bytes()
    assert "old" not in text
    assert "Abacus <2>, 2 cores" in text
    assert "26 November 2026" in text
    assert "| a frame | 3.50 ms (3.25 to 3.75) |" in text
    assert "From glass to glass; size 512:" in text
    assert command.main(arguments) == 0
    assert page.read_text() == text
    assert chart.read_bytes() == drawn


def _steady(report: Report) -> Report:
    first = report.results[0]
    return replace(report, results=(replace(first, steadiness=replace(first.steadiness, noisy=False)),))


def test_what_all_benches_tell_alike_is_said_once() -> None:
    rows = [
        replace(row(1.0), headline="a frame", condition={"size": 512, "threads": 2}),
        replace(row(2.0), headline="a path, p50", condition={"size": 512, "path": "pipe"}),
        replace(row(3.0), headline="a path, p95", condition={"size": 512, "path": "pipe"}),
        replace(row(4.0), headline="a path, p50", condition={"size": 512, "path": "file"}),
    ]
    text = readme.figures([report(result(rows[0]), replace(result(*rows[1:]), bench="other"))], noisy=True)
    assert "mien 0.1.0; size 512. Medians" in text
    assert "What was measured; threads 2:" in text
    assert "| | p50 | p95 |" in text
    assert "| a path, path pipe | 2.00 ms | 3.00 ms |" in text
    assert "| a path, path file | 4.00 ms |  |" in text


def test_figures_that_cannot_be_published_are_refused() -> None:
    with pytest.raises(SettingError, match="it was not for latency"):
        readme.figures([everything()])
    assert "on a noisy machine" in readme.figures([everything()], noisy=True)
    with pytest.raises(SettingError, match="it was not for latency"):
        readme.chart([everything()])
    with pytest.raises(SettingError, match="expected latencies of paths, got none"):
        readme.chart([report(result(row(1.0)))])
    with pytest.raises(SettingError, match="no figures for a README"):
        readme.figures([report(result(row(1.0)))])
    with pytest.raises(SourceError, match="expected the lines"):
        readme.replaced("no marks", "figures", Path("README.md"))


@pytest.mark.parametrize("option", ["--portrait", "--driver"])
def test_what_a_bench_reads_is_no_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    monkeypatch.setattr(command, "run_bench", None)
    given = tmp_path / "given"
    given.write_bytes(b"precious")
    with pytest.raises(SinkError, match="another file than those that are read"):
        command.run("stages", [option, str(given), "--json", str(given)])
    assert given.read_bytes() == b"precious"
