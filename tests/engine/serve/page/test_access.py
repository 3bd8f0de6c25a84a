"""Whether everybody can use the page: by keyboard, by screen reader, with weak sight, on a small screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.engine.serve.page.browser import PHONE, page_of, start, wait_for_state
from tests.engine.serve.page.fake_server import FakeServer

TEXT, PARTS = 4.5, 3.0
"""The least contrast of text and of the parts of controls (WCAG 2.2, AA)."""
RATIO = """([front, back]) => {
    const probe = document.body.appendChild(document.createElement("i"));
    const light = (name) => {
        probe.style.color = `var(${name})`;
        const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
        const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [a, b] = [light(front), light(back)];
    probe.remove();
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""
INTERACTIVE = {
    "button",
    "link",
    "slider",
    "textbox",
    "combobox",
    "radio",
    "checkbox",
    "ColorWell",
    "DisclosureTriangle",
}


@pytest.fixture(scope="module", params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    with FakeServer() as server, page_of(browser, theme=request.param) as page:
        page.goto(server.origin)
        wait_for_state(page, "idle")
        yield page


@pytest.mark.parametrize("back", ["--paper", "--sheet"])
@pytest.mark.parametrize("front", ["--ink", "--soft", "--faint", "--accent", "--warm"])
def test_text_stands_out_from_its_ground(themed: Page, front: str, back: str) -> None:
    assert themed.evaluate(RATIO, [front, back]) >= TEXT


@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("--on-accent", "--accent", TEXT),
        ("--on-warm", "--warm", TEXT),
        ("--accent", "--accent-soft", TEXT),
        ("--warm", "--warm-soft", TEXT),
        ("--ink", "--warm-soft", TEXT),
        ("--ink", "--well", TEXT),
        ("--edge", "--paper", PARTS),
        ("--edge", "--sheet", PARTS),
        ("--good", "--sheet", PARTS),
        ("--series-a", "--sheet", PARTS),
        ("--series-b", "--sheet", PARTS),
    ],
)
def test_controls_stand_out(themed: Page, front: str, back: str, least: float) -> None:
    assert themed.evaluate(RATIO, [front, back]) >= least


def tree(page: Page) -> list[dict[str, Any]]:
    """What a screen reader is told."""
    nodes: list[dict[str, Any]] = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    return [node for node in nodes if not node.get("ignored")]


def test_everything_that_can_be_used_has_a_name(page: Page) -> None:
    start(page)
    page.click("#keys-button")
    for _ in range(2):
        found = [node for node in tree(page) if node["role"]["value"] in INTERACTIVE]
        assert len(found) >= 2
        nameless = [node for node in found if not node.get("name", {}).get("value")]
        assert nameless == []
        page.keyboard.press("Escape")


def test_landmarks_and_headings_lead_through_the_page(page: Page) -> None:
    roles = [node["role"]["value"] for node in tree(page)]
    assert {"banner", "main", "complementary", "contentinfo", "toolbar", "radiogroup", "status", "alert"} <= set(roles)
    assert roles.count("heading") >= 6
    assert page.evaluate("[...document.querySelectorAll('h1')].length") == 1


def test_the_skip_link_is_first_and_shows_when_it_is_reached(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("getComputedStyle(document.activeElement).clipPath") == "none"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "stage"


def test_it_can_be_begun_and_ended_by_keyboard_alone(page: Page, server: FakeServer) -> None:
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "start-button":
            break
    page.keyboard.press("Enter")
    wait_for_state(page, "running")
    assert page.inner_text("#status").startswith("Live")
    outline = page.evaluate(
        "(document.querySelector('#pause-button').focus(), getComputedStyle(document.activeElement).outlineStyle)"
    )
    assert outline == "solid"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    wait_for_state(page, "idle")


@pytest.mark.parametrize("state", ["idle", "running"])
def test_a_small_screen_shows_all_without_scrolling_aside(browser: Browser, server: FakeServer, state: str) -> None:
    with page_of(browser, size=PHONE, touch=True) as page:
        page.goto(server.origin)
        wait_for_state(page, "idle")
        if state == "running":
            start(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        small = page.evaluate("""() => [...document.querySelectorAll("button, a[href], select, input")]
            .filter((one) => one.checkVisibility() && one.getClientRects().length)
            .filter((one) => !one.matches(".skip, [type=checkbox]"))
            .map((one) => [one.id || one.className, one.getBoundingClientRect()])
            .filter(([, box]) => box.width < 24 || box.height < 24).map(([name]) => name)""")
        assert small == []
        panic = page.locator("#panic-button").bounding_box()
        assert panic is not None
        assert panic["y"] + panic["height"] <= PHONE[1]


def test_nothing_moves_for_who_wants_no_motion(page: Page) -> None:
    elements = "[...document.querySelectorAll('*')]"
    lasting = page.evaluate(f"{elements}.flatMap((one) => getComputedStyle(one).transitionDuration.split(', '))")
    assert set(lasting) == {"0s"}
