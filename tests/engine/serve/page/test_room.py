"""Two people in one room: each sees the other's portrait and hears the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from tests.engine.serve.page.browser import page_of, start, wait_for_state, wait_until
from tests.engine.serve.page.fake_server import FakeServer

SEEN = "document.querySelector('#peer-plate').classList.contains('seen')"


@pytest.fixture
def first(browser: Browser, server: FakeServer) -> Iterator[Page]:
    with page_of(browser) as page:
        page.goto(f"{server.origin}/room/tea")
        wait_for_state(page, "idle")
        yield page


def test_two_meet_and_one_leaves(browser: Browser, server: FakeServer, first: Page) -> None:
    start(first)
    assert first.inner_text("#peer-title") == "Nobody else is here yet"
    with page_of(browser) as second:
        second.goto(f"{server.origin}/room/tea")
        wait_for_state(second, "idle")
        start(second)
        for page in (first, second):
            wait_until(page, SEEN)
            wait_until(page, "document.querySelector('#peer-video').currentTime > 0.3")
            assert page.evaluate("document.querySelector('#peer-video').srcObject.getAudioTracks().length") == 1
            assert not page.evaluate("document.querySelector('#peer-video').muted")
        assert {one.room for one in server.sessions.values()} == {"tea"}
        second.goto("about:blank")
        wait_until(first, f"!{SEEN}")
    assert first.inner_text("#peer-title") == "Nobody else is here yet"
    assert first.get_attribute("body", "data-state") == "running"


def test_a_third_is_told_that_the_room_is_full(browser: Browser, server: FakeServer, first: Page) -> None:
    first.route(
        "**/api/v1/sessions",
        lambda route: route.fulfill(status=409, json={"error": {"message": "room: expected at most 2, got one more"}}),
    )
    first.click("#start-button")
    wait_for_state(first, "room-full")
    assert "Two people are in this room" in first.inner_text("#alert")


def test_the_first_page_leads_to_a_room(browser: Browser, server: FakeServer, page: Page) -> None:
    page.fill("#room-input", "Tea-Time")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.origin}/room/tea-time")
    assert page.title() == "tea-time · mien"
    assert not page.is_visible("#room-card")
