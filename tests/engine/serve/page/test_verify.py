"""What is this file: chosen or dropped, told in three lines, in both themes."""

from __future__ import annotations

from playwright.sync_api import Page
from tests.engine.serve.page.browser import THEMES, shoot, wait_until
from tests.engine.serve.page.fake_server import FakeServer

DROP = """([where, name]) => {
  const data = new DataTransfer();
  data.items.add(new File(["bytes"], name));
  const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  document.querySelector(where).dispatchEvent(drop);
}"""


def told(page: Page, lines: int) -> list[str]:
    wait_until(page, f"document.querySelectorAll('#verify-told li').length === {lines}")
    return page.locator("#verify-told li").all_inner_texts()


def test_a_file_that_is_chosen_or_dropped_is_told(page: Page, server: FakeServer) -> None:
    server.verified.clear()
    page.set_input_files("#verify-input", {"name": "a.mp4", "mimeType": "video/mp4", "buffer": b"moving"})
    assert told(page, 4) == ["a.mp4", "signed", "marked", "so it is"]
    assert page.get_attribute("#verify-told", "data-tone") == "good"
    assert server.verified == [("file", "a.mp4", b"moving")]
    server.good = False
    page.evaluate(DROP, ["#verify-drop", "b.json"])
    wait_until(page, "document.querySelector('#verify-told').dataset.tone === 'bad'")
    assert told(page, 4)[0] == "b.json"
    assert server.verified[-1] == ("file", "b.json", b"bytes")
    assert not page.is_visible("#consent-dialog")
    page.locator("#verify-told").scroll_into_view_if_needed()
    seen = set()
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        shoot(page, f"verify-{theme}")
        seen.add(page.evaluate("getComputedStyle(document.querySelector('#verify-told')).backgroundColor"))
    assert len(seen) == 2


def test_a_file_that_cannot_be_read_is_told(page: Page, server: FakeServer) -> None:
    server.refuse_verify = "file: expected a picture, got words; take another one"
    page.evaluate(DROP, ["#verify-drop", "words.txt"])
    wait_until(page, "document.querySelector('#verify-problem').textContent !== ''")
    assert "expected a picture, got words" in page.inner_text("#verify-problem")
    assert not page.is_visible("#verify-told")
