"""The morph slider with `mien serve` itself: dragged from one portrait to the other and back while the face moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from tests.engine.serve.page.browser import page_of, shoot_all, start, wait_for_state, wait_until
from tests.engine.serve.page.looking import pictures, whose
from tests.engine.serve.page.real_server import RealServer

PATIENT = ("--model", "warp", "--size", "320", "--latency", "2000", "--max-sessions", "1")
DRAG = """async ([from, to, seconds]) => {
    const [video, slider] = [document.getElementById("result-video"), document.getElementById("morph-degree")];
    const times = [];
    let dragging = true;
    const see = (now) => { times.push(now); if (dragging) video.requestVideoFrameCallback(see); };
    video.requestVideoFrameCallback(see);
    const began = performance.now();
    for (let share = 0; share < 1; ) {
        share = Math.min((performance.now() - began) / (1000 * seconds), 1);
        slider.value = String(from + (to - from) * share);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((resolve) => setTimeout(resolve, 40));
    }
    dragging = false;
    return times;
}"""
DEGREE = "fetch('/api/v1/sessions').then((r) => r.json()).then((r) => r.sessions[0].degree === {})"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with RealServer(tmp_path_factory.mktemp("serve") / "log", *PATIENT) as running:
        yield running


def drag(page: Page, begin: float, end: float, seconds: float = 2.0) -> list[float]:
    """Drag the slider; the times in milliseconds at which pictures were shown meanwhile."""
    times: list[float] = page.evaluate(DRAG, [begin, end, seconds])
    wait_until(page, DEGREE.format(end), 60)
    return times


def seen(page: Page) -> str:
    return whose(pictures(page, "result-video")[0][0])


def wait_to_see(page: Page, name: str) -> None:
    for _ in range(100):
        if seen(page) == name:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"expected to see {name}, got {seen(page)}")


def test_the_slider_is_dragged_there_and_back_while_pictures_keep_coming(browser: Browser, server: RealServer) -> None:
    with page_of(browser) as page:
        page.goto(server.origin)
        page.evaluate("localStorage.setItem('mien.latency', '2000')")
        page.evaluate("localStorage.setItem('mien.morph-degree', '0')")
        page.reload()
        wait_for_state(page, "idle")
        start(page)
        wait_to_see(page, "aldo")
        assert page.is_hidden("#morph-degree")
        page.select_option("#morph-select", "mira")
        wait_until(page, DEGREE.format(0), 60)
        wait_until(
            page, "fetch('/api/v1/sessions').then((r) => r.json()).then((r) => r.sessions[0].morph === 'mira')", 60
        )
        there = drag(page, 0, 1)
        wait_to_see(page, "mira")
        back = drag(page, 1, 0)
        wait_to_see(page, "aldo")
        for times in (there, back):
            assert len(times) > 5
        page.focus("#morph-degree")
        for _ in range(5):
            page.keyboard.press("]")
        assert page.inner_text("output[for=morph-degree]") == "50 %"
        wait_until(page, DEGREE.format(0.5), 60)
        shoot_all(page, "4-morph")
