"""The README's chart: all of it from results, nothing that is not live, and what a reader must know of the machine."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

from tests.bench.samples_of_results import everything, report, result, row

from mien_bench.latency_chart import TITLE, latency_chart
from mien_bench.report import Report

SVG = "{http://www.w3.org/2000/svg}"


def _texts(reports: list[Report]) -> list[str]:
    root = ElementTree.fromstring(latency_chart(reports))
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_each_live_path_without_a_bad_network_is_a_bar_with_its_figures() -> None:
    texts = _texts([everything()])
    assert TITLE in texts
    assert "Inside one process" in texts
    assert [text for text in texts if text in ("30 ms", "80 ms", "90 ms", "160 ms")] == [
        "30 ms",
        "80 ms",
        "90 ms",
        "160 ms",
    ]
    assert not any("460" in text or "500" in text for text in texts)
    assert any("Abacus <2>, 2 cores" in text and "26 November 2026" in text for text in texts)


def test_the_engine_alone_is_the_first_bar_where_stages_were_measured() -> None:
    assert "The engine alone" not in _texts([everything()])
    stages = [
        replace(row(20.0, name=f"frame {rank}"), headline=f"all stages of a frame, {rank}") for rank in ("p50", "p95")
    ]
    for reports in (
        [report(result(*stages)), everything()],
        [replace(everything(), results=(*everything().results, result(*stages)))],
    ):
        texts = _texts(reports)
        assert texts.index("The engine alone") < texts.index("Inside one process")
        assert "20 ms" in texts
    other = replace(report(result(*stages)), machine={"processor": "another one"})
    assert "The engine alone" not in _texts([everything(), other])


def test_a_busy_machine_is_named_in_the_chart() -> None:
    whole = everything()
    noisy = whole.results[0].steadiness
    quiet = replace(whole, results=(replace(whole.results[0], steadiness=replace(noisy, noisy=False)),))
    busy = replace(whole, results=(replace(whole.results[0], steadiness=replace(noisy, others=0.44)),))
    assert any("its speed varied" in text for text in _texts([whole]))
    assert any("other processes used up to 44% of it" in text for text in _texts([busy]))
    assert not any("busy" in text for text in _texts([quiet]))


def test_it_needs_no_network_is_described_in_words_and_drawn_alike_each_time() -> None:
    text = latency_chart([everything()])
    root = ElementTree.fromstring(text)
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert title.text == TITLE
    assert description is not None
    assert "Web page: half within 90.0 ms" in (description.text or "")
    assert "prefers-color-scheme: dark" in text
    assert text.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    assert latency_chart([everything()]) == text
