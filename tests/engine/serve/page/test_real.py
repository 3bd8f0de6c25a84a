"""The page with `mien serve` itself: one click, and the portrait moves as the clip before the camera does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page
from tests.engine.serve.page.browser import page_of, shoot_all, start, wait_for_state, wait_until
from tests.engine.serve.page.looking import follows, pictures, turns, whose
from tests.engine.serve.page.real_server import RealServer

PATIENT = ("--model", "warp", "--size", "320", "--latency", "2000", "--max-sessions", "2")
"""The cheapest way through the engine, and time for it: speed is measured elsewhere."""
SEEN = "document.querySelector('#peer-plate').classList.contains('seen')"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with RealServer(tmp_path_factory.mktemp("serve") / "log", *PATIENT) as running:
        yield running


def opened(page: Page, server: RealServer, path: str = "/") -> Page:
    page.goto(server.origin + path)
    page.evaluate("localStorage.setItem('mien.latency', '2000')")
    page.reload()
    wait_for_state(page, "idle")
    return page


def wait_for_portrait(page: Page, video: str, name: str) -> None:
    """Until this portrait is seen in a video."""
    found = ""
    for _ in range(100):
        found = whose(pictures(page, video)[0][0])
        if found == name:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{video} shows {found}, not {name}")


def session_of(page: Page) -> str:
    """The id of the only session that runs."""
    (one,) = page.evaluate("fetch('/api/v1/sessions').then((r) => r.json())")["sessions"]
    return str(one["id"])


def test_the_portrait_follows_the_clip_and_is_swapped_and_stays_over_a_cut(
    browser: Browser, server: RealServer
) -> None:
    with page_of(browser) as page:
        opened(page, server)
        shoot_all(page, "1-ready")
        start(page)
        wait_for_portrait(page, "result-video", "aldo")
        pairs = pictures(page, "self-video", "result-video", count=60, pause_ms=110)
        camera, portrait = turns([one for one, _ in pairs]), turns([other for _, other in pairs])
        assert np.ptp(camera) > 15
        assert follows(camera, portrait, 12) > 0.75
        assert page.inner_text("#latency-now").endswith(" ms")

        page.click("[data-value=mira]")
        wait_for_portrait(page, "result-video", "mira")

        shoot_all(page, "2-live")
        page.click("[data-preset=face-only]")
        wait_until(page, "fetch('/api/v1/sessions').then((r) => r.json()).then((r) => r.sessions[0].gains.pose === 0)")

        before = session_of(page)
        with server.silent():
            wait_for_state(page, "lost")
        wait_for_state(page, "running")
        assert session_of(page) == before
        wait_for_portrait(page, "result-video", "mira")

        page.reload()
        wait_for_state(page, "running")
        assert session_of(page) != before


def test_two_people_see_each_other_and_a_third_finds_it_full(browser: Browser, server: RealServer) -> None:
    with page_of(browser) as first, page_of(browser) as second:
        for page in (first, second):
            opened(page, server, "/room/tea")
        second.click("[data-value=teo]")
        for page in (first, second):  # close together: a busy machine soon admits nobody else
            page.click("#start-button")
        for page in (first, second):
            wait_for_state(page, "running")
        for page in (first, second):
            wait_until(page, SEEN)
            wait_until(page, "document.querySelector('#peer-video').currentTime > 0.2")
            assert page.evaluate("document.querySelector('#peer-video').srcObject.getAudioTracks().length") == 1
        wait_for_portrait(first, "peer-video", "teo")
        wait_for_portrait(second, "peer-video", "aldo")

        shoot_all(first, "3-room")
        with page_of(browser) as third:
            opened(third, server).click("#start-button")
            wait_for_state(third, "full")

        second.keyboard.press("x")
        for _ in range(100):
            slate = pictures(first, "peer-video")[0][0]
            if slate.mean() < 60:
                break
            first.wait_for_timeout(100)
        assert slate.mean() < 60
        second.keyboard.press("q")
        wait_until(first, f"!{SEEN}")
