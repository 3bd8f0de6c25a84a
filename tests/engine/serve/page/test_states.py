"""What the page says and does when something is missing, refused or lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, Playwright
from tests.engine.serve.page.browser import (
    ALLOWED,
    DENIED,
    FAKE,
    chromium,
    page_of,
    shoot,
    start,
    wait_for_state,
    wait_until,
)
from tests.engine.serve.page.fake_server import FakeServer

TOKEN = "a-token-of-the-tests"


@pytest.mark.parametrize(
    ("flags", "state", "advice"),
    [((ALLOWED,), "no-camera", "Plug one in"), ((FAKE, DENIED), "no-permission", "Allow it for this page")],
)
def test_without_a_camera_it_says_what_to_do(
    playwright: Playwright, server: FakeServer, flags: tuple[str, ...], state: str, advice: str
) -> None:
    with chromium(playwright, *flags) as browser, page_of(browser) as page:
        page.goto(server.origin)
        wait_for_state(page, "idle")
        page.click("#start-button")
        wait_for_state(page, state)
        assert advice in page.inner_text("#word-text")
        assert page.inner_text("#start-button") == "Try again"
        assert advice in page.inner_text("#alert")
        assert server.opened == []
        shoot(page, f"state-{state}")


def test_a_full_server_is_tried_again_when_it_says(page: Page, server: FakeServer) -> None:
    server.full = 99
    page.click("#start-button")
    wait_for_state(page, "full")
    wait_until(page, "document.querySelector('#word-text').textContent.includes('Next try in')")
    shoot(page, "state-full")
    server.full = 0
    wait_for_state(page, "running")
    assert len(server.opened) >= 2


def test_a_server_that_warms_up_says_so_and_can_be_waited_for_no_longer(page: Page, server: FakeServer) -> None:
    server.full, server.ready = 9, False
    page.click("#start-button")
    wait_for_state(page, "starting")
    shoot(page, "state-starting")
    page.click("#word-button")
    wait_for_state(page, "idle")
    assert server.sessions == {}


def test_a_token_is_asked_for_and_kept_in_the_tab(browser: Browser, server: FakeServer) -> None:
    server.token = TOKEN
    with page_of(browser) as page:
        page.goto(server.origin)
        wait_for_state(page, "token")
        page.fill("#token-input", "another-token")
        page.keyboard.press("Enter")
        page.wait_for_selector("#notices >> text=not the right one")
        shoot(page, "state-token")
        page.fill("#token-input", TOKEN)
        page.keyboard.press("Enter")
        wait_for_state(page, "idle")
        page.reload()
        wait_for_state(page, "idle")


def test_a_token_in_the_address_is_taken_out_of_it(browser: Browser, server: FakeServer) -> None:
    server.token = TOKEN
    with page_of(browser) as page:
        page.goto(f"{server.origin}/#token={TOKEN}")
        wait_for_state(page, "idle")
        assert page.url == f"{server.origin}/"
        start(page)


def test_what_the_server_refuses_is_told_in_its_words(page: Page, server: FakeServer) -> None:
    page.route(
        "**/api/v1/sessions",
        lambda route: route.fulfill(status=422, json={"error": {"message": "sdp: no video in it", "do": "send one"}}),
    )
    page.click("#start-button")
    wait_for_state(page, "refused")
    assert page.inner_text("#word-text") == "sdp: no video in it. send one"
    assert page.evaluate("document.querySelector('#self-video').srcObject === null")


def test_a_server_that_does_not_answer_is_waited_for(browser: Browser, server: FakeServer) -> None:
    with page_of(browser) as page:
        page.route("**/api/v1/**", lambda route: route.abort())
        page.goto(server.origin)
        wait_for_state(page, "unreachable")
        shoot(page, "state-unreachable")
        page.unroute_all()
        page.dispatch_event("#word-button", "click")  # does no harm where the page was first with a try of its own
        wait_for_state(page, "idle")


def test_a_lost_connection_saves_the_recording_and_comes_back(page: Page, server: FakeServer) -> None:
    start(page)
    first = server.session.id
    page.click("#record-button")
    wait_until(page, "document.querySelector('#record-time').textContent >= '0:02'")
    page.route("**/api/v1/sessions", lambda route: route.abort())
    with page.expect_download() as saved:
        server.drop_media()
    assert saved.value.suggested_filename.startswith("mien-")
    wait_for_state(page, "lost")
    assert "comes back by itself" in page.inner_text("#alert")
    shoot(page, "state-lost")
    page.click("[data-value=mira]")
    page.unroute_all()
    wait_for_state(page, "running")
    assert server.opened[-1]["resume"] == first
    wait_until(page, "document.querySelector('#result-video').currentTime > 0")
    page.wait_for_selector("#pill[data-tone=good]")
    assert page.evaluate("document.querySelector('#self-video').srcObject.active")


def test_a_server_that_goes_away_and_comes_back_is_found_again(page: Page, server: FakeServer) -> None:
    start(page)
    server.cut()
    wait_for_state(page, "lost")
    page.wait_for_timeout(700)
    assert page.get_attribute("body", "data-state") == "lost"
    server.sessions.clear()
    server.mend()
    wait_for_state(page, "running")
    assert len(server.sessions) == 1


def test_a_network_that_is_off_for_http_only_does_no_harm(page: Page, server: FakeServer) -> None:
    start(page)
    page.context.set_offline(True)
    page.wait_for_timeout(1000)
    assert page.get_attribute("body", "data-state") == "running"
    page.context.set_offline(False)
    page.keyboard.press("z")
    page.wait_for_selector("#status >> text=Re-zeroed")


def test_a_session_that_the_server_ends_is_not_begun_again_unasked(page: Page, server: FakeServer) -> None:
    start(page)
    server.end_session()
    wait_for_state(page, "ended")
    assert page.evaluate("document.querySelector('#self-video').srcObject === null")
    page.click("#start-button")
    wait_for_state(page, "running")


def test_a_camera_that_is_unplugged_ends_the_session(page: Page, server: FakeServer) -> None:
    start(page)
    page.evaluate(
        "document.querySelector('#self-video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))"
    )
    wait_for_state(page, "no-camera")
    assert "unplugged" in page.inner_text("#word-text")
