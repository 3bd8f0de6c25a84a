"""The page's arithmetic, run in the browser that it is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.engine.serve.page.browser import page_of, wait_for_state
from tests.engine.serve.page.fake_server import PAGE, FakeServer

from mien.config import GAIN_LIMIT, PRESETS


@pytest.fixture(scope="module")
def sheet(browser: Browser) -> Iterator[Page]:
    """A page whose modules can be asked."""
    with FakeServer() as server, page_of(browser) as page:
        page.goto(server.origin)
        wait_for_state(page, "idle")
        yield page


def ask(page: Page, module: str, expression: str) -> Any:
    """`expression` of a module `m`."""
    return page.evaluate(f'import("/page/{module}.js").then((m) => {expression})')


def test_waits_double_up_to_a_bound_and_differ_by_chance(sheet: Page) -> None:
    waits = ask(sheet, "retry", "[0, 1, 2, 3, 4, 9].map((n) => m.pause(n, 0.5))")
    assert waits == pytest.approx([0.5, 1, 2, 4, 8, 8])
    assert ask(sheet, "retry", "[m.pause(1, 0), m.pause(1, 1)]") == pytest.approx([0.8, 1.2])


def test_a_pulse_stops_when_bytes_stop_for_longer_than_its_patience(sheet: Page) -> None:
    seen = ask(
        sheet,
        "retry",
        "((p) => [[0, 0], [9, 1], [9, 4], [9, 5.5], [10, 6]].map(([b, t]) => p.seen(b, t)))(new m.Pulse(4))",
    )
    assert seen == [True, True, True, False, True]


def test_means_of_stages_are_of_what_happened_since(sheet: Page) -> None:
    script = """((s) => [
        [10, 4], [20, 6], [20, 6], [2, 3]
    ].map(([count, mean_ms]) => s.since({a: {count, mean_ms}}).get("a")))(new m.StageMeans())"""
    assert ask(sheet, "series", script) == pytest.approx([4, 8, 8, 3])


def test_a_rate_starts_at_nothing_and_survives_a_count_that_begins_anew(sheet: Page) -> None:
    script = "((r) => [[100, 1], [150, 2], [150, 2], [10, 3], [30, 4]].map(([n, t]) => r.since(n, t)))(new m.Rate())"
    assert ask(sheet, "series", script) == pytest.approx([0, 50, 0, 0, 20])


def test_a_series_forgets_what_is_older_than_its_span(sheet: Page) -> None:
    script = """((s) => {
        for (let t = 0; t < 100; t++) s.push(t, t);
        return [s.samples.length, s.last, s.largest];
    })(new m.Series(10))"""
    assert ask(sheet, "series", script) == [11, 99, 99]


def test_axes_end_at_round_numbers(sheet: Page) -> None:
    assert ask(sheet, "series", "[0, 0.7, 1, 31, 120, 999].map(m.roundUp)") == pytest.approx([1, 1, 1, 50, 200, 1000])


@pytest.mark.parametrize(
    ("block", "event", "data"),
    [
        ("data: 1", "message", "1"),
        ("event: ended\ndata: {}", "ended", "{}"),
        (": a comment", "message", ""),
        ("data: 1\ndata:2", "message", "1\n2"),
        ("id: 3\nevent:room\ndata: []", "room", "[]"),
    ],
)
def test_events_are_read_as_they_are_defined(sheet: Page, block: str, event: str, data: str) -> None:
    found = sheet.evaluate('(block) => import("/page/lines.js").then((m) => m.parsed(block))', block)
    assert found == {"event": event, "data": data}


def test_when_to_come_again_is_a_number_or_a_date(sheet: Page) -> None:
    now = "Date.parse('Thu, 01 Jan 2026 00:00:00 GMT')"
    headers = "['7', ' 3 ', 'Thu, 01 Jan 2026 00:00:05 GMT', 'Wed, 31 Dec 2025 00:00:00 GMT', 'soon', null]"
    assert ask(sheet, "api", f"{headers}.map((h) => m.retryAfter(h, {now}))") == [7, 3, 5, 0, 0, 0]


def test_recordings_are_named_by_when_they_began(sheet: Page) -> None:
    names = ask(
        sheet, "recorder", "['video/mp4;x', 'video/webm'].map((t) => m.fileName(new Date(2026, 0, 2, 3, 4, 5), t))"
    )
    assert names == ["mien-2026-01-02-03-04-05.mp4", "mien-2026-01-02-03-04-05.webm"]
    assert ask(sheet, "recorder", "[0, 75.9, 3600].map(m.clockOf)") == ["0:00", "1:15", "60:00"]


def test_presets_are_those_of_the_terminal(sheet: Page) -> None:
    told = ask(sheet, "motion", "Object.entries(m.PRESETS).map(([name, gains]) => [name, m.complete(gains)])")
    assert told == [[name, asdict(gains)] for name, gains in PRESETS.items()]
    assert float(sheet.get_attribute("#gain-pose", "max") or 0) <= GAIN_LIMIT


def test_every_state_says_what_it_is_and_what_can_be_done(sheet: Page) -> None:
    source = sheet.evaluate("fetch('/page/states.js').then((r) => r.text())")
    names = [
        line.strip().split(":")[0].strip('"') for line in source.split("WORDS = {")[1].split("\n};")[0].splitlines()[1:]
    ]
    assert len(names) >= 16
    words = sheet.evaluate(
        '(names) => import("/page/states.js").then((m) => names.map((name) => m.wordsOf({name})))', names
    )
    for name, told in zip(names, words, strict=True):
        assert told["pill"], name
        if told["tone"] == "bad" and name != "token":
            assert told["title"], name
            assert told.get("start") or told.get("other"), name


def test_the_page_names_every_module_so_that_they_load_at_once(sheet: Page) -> None:
    named = set(sheet.evaluate("[...document.querySelectorAll('link[rel=modulepreload]')].map((one) => one.href)"))
    modules = {path.name for path in PAGE.glob("*.js")} - {"early.js", "main.js"}
    assert {url.rpartition("/")[2] for url in named} == modules
