"""A portrait of nobody: eight to choose from, by seed and traits, kept with a note that says so."""

from __future__ import annotations

from playwright.sync_api import Page
from tests.engine.serve.page.browser import shoot, wait_until
from tests.engine.serve.page.fake_server import FakeServer

DRAWN = "document.querySelectorAll('#somebody-strip button:not([disabled])').length === 8"


def test_somebody_is_chosen_of_eight_and_becomes_the_portrait(page: Page, server: FakeServer) -> None:
    page.click("#somebody-button")
    wait_until(page, DRAWN)
    first = [wish["seed"] for wish in server.wishes]
    assert first == list(range(first[0], first[0] + 8))
    assert not server.wishes[0]["glasses"]
    assert "hair" not in server.wishes[0]
    shoot(page, "somebody")
    server.wishes.clear()
    page.fill("#somebody-seed", "40")
    page.select_option("#somebody-hair", "red")
    page.check("#somebody-glasses")
    page.eval_on_selector("#somebody-beard", "(s) => { s.value = 0.5; s.dispatchEvent(new Event('change')); }")
    wait_until(page, DRAWN)
    assert server.wishes[-1] == {"seed": 47, "size": 256, "hair": "red", "beard": 0.5, "glasses": True}
    page.click("#somebody-strip [data-value='42']")
    page.click("#somebody-accept")
    page.wait_for_selector("#strip [aria-checked=true] >> text=own-0")
    assert server.wishes[-1]["seed"] == 42
    assert server.wishes[-1]["size"] == 512
    assert server.uploads == [{"id": "own-0", "consent": "nobody: made by mien avatar, seed 42"}]
    assert not page.is_visible("#somebody-dialog")
