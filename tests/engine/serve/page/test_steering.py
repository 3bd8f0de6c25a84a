"""A session on the page: begun with one click, steered, recorded, hidden, shown alone."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av
import pytest
from playwright.sync_api import Browser, Page
from tests.engine.serve.page.browser import page_of, shoot, start, wait_for_state, wait_until
from tests.engine.serve.page.fake_server import PAGE, FakeServer

from mien import samples
from mien.config import PRESETS

NATURAL = asdict(PRESETS["natural"])


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    with FakeServer() as fake:
        yield fake


@pytest.fixture(scope="module")
def page(browser: Browser, server: FakeServer) -> Iterator[Page]:
    """One for all, since to begin takes longer than most tests do."""
    with page_of(browser) as opened:
        opened.goto(server.origin)
        yield opened


@pytest.fixture
def running(page: Page, server: FakeServer) -> Page:
    """A session that runs, of which nothing was asked yet."""
    server.behave()
    page.unroute_all()
    page.evaluate(
        "document.querySelector('dialog[open]')?.close(), document.querySelector('#notices').replaceChildren()"
    )
    if wait_for_state(page, "idle", "running") == "idle":  # a late machine may just be connecting again
        start(page)
    if page.get_attribute("#strip [aria-checked=true]", "data-value") != "aldo":
        page.click("[data-value=aldo]")
        wait_for(page, lambda: server.session.portrait == "aldo")
    page.evaluate("document.activeElement.blur()")
    server.session.changes.clear()
    return page


def asked_for(server: FakeServer, page: Page, name: str, value: Any) -> None:
    """Wait until the session was asked for a change of `name` to `value`."""
    for _ in range(400):
        if any(name in change and change[name] == value for change in server.session.changes):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"the page did not ask for {name} {value}, but for {server.session.changes}")


def wait_for(page: Page, holds: Callable[[], bool]) -> None:
    """Until something outside of the page holds."""
    for _ in range(400):
        if holds():
            return
        page.wait_for_timeout(25)
    raise AssertionError("it did not come true in 10 s")


def test_one_click_moves_the_first_portrait(page: Page, server: FakeServer) -> None:
    wait_for_state(page, "idle")
    start(page)
    wait_until(page, "document.querySelector('#result-video').currentTime > 0.5")
    assert page.evaluate("document.querySelector('#result-video').videoWidth") >= 240
    assert server.opened[0]["portrait"] == next(iter(samples.portraits()))
    assert server.opened[0]["gains"] == dict.fromkeys(server.opened[0]["gains"], 1)
    assert page.inner_text("#pill-text") == "Live"
    assert not page.is_visible("#word")


def test_nothing_is_asked_of_anybody_else(browser: Browser, server: FakeServer) -> None:
    with page_of(browser) as other:
        asked: list[str] = []
        other.on("request", lambda request: asked.append(request.url))
        other.goto(server.origin)
        wait_for_state(other, "idle")
        assert {url for url in asked if not url.startswith(server.origin)} == set()
        files = {url.rpartition("/page/")[2] for url in asked if "/page/" in url}
        assert files == {path.name for path in PAGE.iterdir() if path.suffix in (".js", ".css", ".svg")}


def test_sliders_and_presets_steer_the_motion(running: Page, server: FakeServer) -> None:
    running.focus("#gain-lips")
    running.keyboard.press("End")
    asked_for(server, running, "gains", pytest.approx({**NATURAL, "lips": 2}))
    assert running.inner_text("output[for=gain-lips]") == "2\N{MULTIPLICATION SIGN}"
    running.click("[data-preset=calm]")
    asked_for(server, running, "gains", pytest.approx(asdict(PRESETS["calm"])))
    assert running.get_attribute("[data-preset=calm]", "aria-pressed") == "true"
    running.click("#gains-reset")
    assert running.get_attribute("[data-preset=natural]", "aria-pressed") == "true"


def test_the_portraits_look_is_steered_and_remembered(running: Page, server: FakeServer) -> None:
    assert (server.opened[-1]["relax"], server.opened[-1]["wrinkles"]) == (0, 1)
    running.focus("#look-relax")
    running.keyboard.press("End")
    asked_for(server, running, "relax", 1)
    assert running.inner_text("output[for=look-relax]") == "100 %"
    running.focus("#look-wrinkles")
    running.keyboard.press("Home")
    asked_for(server, running, "wrinkles", 0)
    assert running.inner_text("output[for=look-wrinkles]") == "off"
    shoot(running, "look")
    assert running.evaluate("[localStorage['mien.relax'], localStorage['mien.wrinkles']]") == ["1", "0"]
    for name, usual in (("relax", 0), ("wrinkles", 1)):
        running.dblclick(f"#look-{name}")
        asked_for(server, running, name, usual)


def test_a_style_and_its_strength_are_asked_for_and_remembered(running: Page, server: FakeServer) -> None:
    assert server.opened[-1]["style"] == "none"
    assert running.inner_text("#styles") == "Photograph\nScream\nStarry night"
    assert running.is_hidden("#style-strength")
    running.click("#styles [data-value=starry-night]")
    asked_for(server, running, "style", "starry-night")
    running.focus("#style-strength")
    running.keyboard.press("ArrowLeft")
    running.keyboard.press("Tab")
    asked_for(server, running, "style", "starry-night:0.95")
    assert running.inner_text("output[for=style-strength]") == "95 %"
    for theme in ("dark", "light"):
        running.emulate_media(color_scheme=theme)
        shoot(running, f"style-{theme}")
    assert running.evaluate("localStorage['mien.style']") == '"starry-night"'
    running.click("#styles [data-value=none]")
    asked_for(server, running, "style", "none")
    assert running.is_hidden("#style-strength")


def test_a_second_portrait_and_a_degree_are_asked_for_and_remembered(running: Page, server: FakeServer) -> None:
    assert (server.opened[-1]["morph"], server.opened[-1]["degree"]) == ("none", 0.7)
    assert running.is_hidden("#morph-degree")
    running.select_option("#morph-select", "mira")
    asked_for(server, running, "morph", "mira")
    running.focus("#morph-degree")
    running.keyboard.press("Home")
    asked_for(server, running, "degree", 0)
    assert running.inner_text("output[for=morph-degree]") == "0 %"
    running.keyboard.press("]")
    asked_for(server, running, "degree", 0.1)
    assert running.evaluate("[localStorage['mien.morph'], localStorage['mien.morph-degree']]") == ['"mira"', "0.1"]
    server.tell("morph: expected heads turned at most 35 degrees apart, got 50; the portrait stays as it is")
    asked_for(server, running, "morph", "none")
    assert running.is_hidden("#morph-degree")


def test_keys_do_what_the_terminals_keys_do(running: Page, server: FakeServer) -> None:
    for key, name, value in (("z", "rezero", True), ("p", "paused", True), ("n", "portrait", "avatar")):
        running.keyboard.press(key)
        asked_for(server, running, name, value)
    running.keyboard.press("4")
    asked_for(server, running, "gains", pytest.approx(asdict(PRESETS["face-only"])))
    assert running.inner_text("#pause-button") == "Go on"


def test_keys_rest_while_one_types_and_when_they_are_switched_off(running: Page, server: FakeServer) -> None:
    running.focus("#room-input")
    running.keyboard.type("xpz")
    running.keyboard.press("Tab")
    running.click("#keys-button")
    running.uncheck("#keys-check")
    shoot(running, "dialog-keys")
    running.keyboard.press("Escape")
    running.keyboard.press("p")
    running.click("#keys-button")
    running.check("#keys-check")
    running.keyboard.press("Escape")
    running.keyboard.press("z")
    asked_for(server, running, "rezero", True)
    assert not any("paused" in change for change in server.session.changes)
    assert running.input_value("#room-input") == "xpz"


def test_who_hides_is_hidden_before_the_server_answers(running: Page, server: FakeServer) -> None:
    running.route("**/api/v1/sessions/*", lambda route: None)  # it never answers
    running.keyboard.press("x")
    assert running.is_visible("#curtain")
    shoot(running, "state-hidden")
    tracks = "document.querySelector('#result-video').srcObject.getVideoTracks()"
    assert running.evaluate(f"{tracks}.every((track) => !track.enabled)")
    voice = "document.querySelector('#self-video').srcObject.getAudioTracks()"
    assert running.evaluate(f"{voice}.every((track) => !track.enabled)")
    assert running.get_attribute("#panic-button", "aria-pressed") == "true"
    running.unroute_all()
    running.keyboard.press("q")  # a new session is not hidden
    wait_for_state(running, "idle")
    assert not running.is_visible("#curtain")


def test_who_cannot_be_hidden_by_the_server_sends_no_picture(running: Page, server: FakeServer) -> None:
    server.refuse_change = "panic: expected a slate, got none"
    running.click("#panic-button")
    seen = "document.querySelector('#self-video').srcObject.getVideoTracks()[0].enabled"
    wait_until(running, f"!{seen}")
    assert running.is_visible("#curtain")
    server.refuse_change = None
    running.click("#panic-button")
    wait_until(running, seen)
    assert not running.is_visible("#curtain")


def test_another_portrait_is_swapped_in(running: Page, server: FakeServer) -> None:
    running.click("[data-value=teo]")
    asked_for(server, running, "portrait", "teo")
    assert running.inner_text("#result-caption") == "Teo"
    assert running.get_attribute("[data-value=teo]", "aria-checked") == "true"


def test_a_portrait_that_cannot_be_made_leaves_the_old_one_chosen(running: Page, server: FakeServer) -> None:
    server.refuse_swap = "teo: expected a face, got none; the portrait stays as it is"
    running.click("[data-value=teo]")
    running.wait_for_selector("[data-value=aldo][aria-checked=true]")
    assert running.inner_text("#result-caption") == "Aldo"
    assert "expected a face" in running.inner_text("#notices")


def test_arrow_keys_choose_among_portraits(running: Page, server: FakeServer) -> None:
    running.focus("[data-value=aldo]")
    running.keyboard.press("ArrowRight")
    asked_for(server, running, "portrait", "avatar")
    assert running.evaluate("document.activeElement.dataset.value") == "avatar"


def test_what_the_server_tells_is_shown_once(running: Page, server: FakeServer) -> None:
    server.tell("own.png: expected a face, got none; the portrait stays as it is")
    running.wait_for_selector("#notices >> text=the portrait stays as it is")
    running.click("#notices button")
    running.wait_for_timeout(600)
    assert running.locator("#notices p").count() == 0


def test_a_lost_face_is_told(running: Page, server: FakeServer) -> None:
    server.face = "lost"
    running.wait_for_selector("#face-badge:visible")
    shoot(running, "state-no-face")
    assert "No face found" in running.inner_text("#status")
    server.face = "found"
    running.wait_for_selector("#face-badge", state="hidden")


def test_background_and_latency_are_asked_for(running: Page, server: FakeServer) -> None:
    running.click("#backgrounds [data-value=blur]")
    asked_for(server, running, "background", "blur")
    running.focus("#latency-input")
    running.keyboard.press("ArrowRight")
    asked_for(server, running, "target_latency_ms", 110)
    assert running.inner_text("#latency-output") == "110 ms"


def test_a_picture_becomes_a_portrait_only_with_consent(running: Page, server: FakeServer) -> None:
    page = running
    page.set_input_files("#upload-input", str(samples.portraits()["mira"]))
    page.wait_for_selector("#consent-dialog[open]")
    page.click("#consent-accept")
    assert page.is_visible("#consent-dialog")
    assert server.uploads == []
    page.fill("#consent-text", "Nobody: a drawn sample")
    page.check("#consent-check")
    server.refuse_upload = "picture: expected a face, got none; take one that shows it"
    page.click("#consent-accept")
    page.wait_for_selector("#consent-problem >> text=take one that shows it")
    shoot(page, "dialog-consent")
    server.refuse_upload = None
    page.click("#consent-accept")
    page.wait_for_selector("[data-value=own-0]")
    assert [upload["consent"] for upload in server.uploads] == ["Nobody: a drawn sample"]
    assert page.get_attribute("[data-value=own-0]", "aria-checked") == "true"
    page.click(".remove")
    page.wait_for_selector("[data-value=own-0]", state="detached")
    assert server.portraits == {}


def test_a_snapshot_of_the_camera_becomes_a_portrait(running: Page, server: FakeServer) -> None:
    running.click("#snapshot-button")
    running.wait_for_selector("#consent-dialog[open]")
    running.check("#consent-check")
    running.click("#consent-accept")
    wait_for(running, lambda: server.session.portrait.startswith("own-"))
    id = server.session.portrait
    assert server.uploads[-1] == {"id": id, "consent": "Myself"}
    with av.open(io.BytesIO(server.portraits[id])) as picture:
        assert picture.streams.video[0].width >= 240


def test_a_recording_is_a_video_that_plays(running: Page, tmp_path: Path) -> None:
    running.click("#record-button")
    wait_until(running, "document.querySelector('#record-time').textContent >= '0:02'")
    with running.expect_download() as saved:
        running.click("#record-button")
    path = tmp_path / saved.value.suggested_filename
    saved.value.save_as(path)
    with av.open(str(path)) as video:
        assert sum(1 for _ in video.decode(video=0)) >= 5
        assert len(video.streams.audio) == 1
    assert "Saved as" in running.inner_text("#notices")


def test_the_picture_alone_fills_the_window(running: Page) -> None:
    running.keyboard.press("f")
    wait_until(running, "document.querySelector('#result-frame').clientHeight === innerHeight")
    assert not running.is_visible(".transport")
    shoot(running, "alone")
    assert not running.is_visible("#word")
    running.keyboard.press("Escape")
    wait_until(running, "!document.body.classList.contains('alone')")
    assert running.is_visible(".transport")


def test_the_picture_has_a_window_of_its_own_if_wanted(running: Page) -> None:
    with running.expect_popup() as opened:
        running.click("#window-button")
    wait_until(opened.value, "document.querySelector('video')?.currentTime > 0.2")
    assert opened.value.evaluate("document.querySelector('video').clientHeight === innerHeight")
    opened.value.close()


def test_what_is_no_picture_is_told(running: Page) -> None:
    running.set_input_files("#upload-input", {"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture"})
    running.wait_for_selector("#notices >> text=notes.png is no picture")
    assert not running.is_visible("#consent-dialog")


def test_charts_and_numbers_follow_the_statistics(running: Page, server: FakeServer) -> None:
    server.level, server.cause = "warp", "slow: reenact takes 80 ms"
    running.click("details summary")
    running.wait_for_selector("#numbers tr >> nth=7")
    assert running.inner_text("#level-now") == "warp"
    assert "reenact takes 80 ms" in running.inner_text("#level-cause")
    assert running.inner_text("#bitrate-hint") == "H264, round trip 12 ms, 2 packets lost"
    assert running.inner_text("#latency-now").endswith(" ms")
    inked = """(id) => {
        const canvas = document.getElementById(id);
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return data.filter((_, place) => place % 4 === 3).filter((alpha) => alpha > 0).length;
    }"""
    for chart in ("latency", "fps", "bitrate", "level"):
        assert running.evaluate(inked, f"{chart}-chart") > 100
    assert running.evaluate("document.querySelectorAll('#latency-legend li').length") == 9


def test_a_picture_that_only_the_server_reads_is_offered_without_a_preview(running: Page, server: FakeServer) -> None:
    heic = {"name": "IMG_0001.HEIC", "mimeType": "image/heic", "buffer": b"\0\0\0\x18ftypheic" + bytes(99)}
    running.evaluate(
        """([name, type, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], name, { type }));
            dispatchEvent(new DragEvent("drop", { dataTransfer: data }));
        }""",
        [heic["name"], heic["mimeType"], list(heic["buffer"])],
    )
    running.wait_for_selector("#consent-dialog[open]")
    assert running.is_hidden("#consent-preview")
    running.fill("#consent-text", "Nobody")
    running.check("#consent-check")
    running.click("#consent-accept")
    wait_for(running, lambda: heic["buffer"] in server.portraits.values())


def test_stop_ends_the_session_and_the_camera(running: Page, server: FakeServer) -> None:
    running.keyboard.press("q")
    wait_for_state(running, "idle")
    wait_for(running, lambda: server.sessions == {})
    assert running.evaluate("document.querySelector('#self-video').srcObject === null")
    assert running.is_disabled("#pause-button")


def test_a_page_that_is_left_gives_its_place_back(running: Page, server: FakeServer) -> None:
    running.goto("about:blank")
    wait_for(running, lambda: server.sessions == {})
    running.goto(server.origin)
    wait_for_state(running, "running")  # in the same tab it goes on by itself


def test_a_reload_goes_on_where_it_was(running: Page, server: FakeServer) -> None:
    running.click("[data-preset=lively]")
    running.click("[data-value=mira]")
    running.reload()
    wait_for_state(running, "running")
    assert server.opened[-1]["portrait"] == "mira"
    assert server.opened[-1]["gains"]["expression"] == pytest.approx(1.3)
    assert len(server.sessions) == 1


def test_a_theme_that_was_chosen_stays(running: Page) -> None:
    page = running
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme-button")
    page.click("#theme-button")
    assert page.get_attribute("#theme-button", "aria-label") == "Theme: dark"
    dark = page.evaluate(ground)
    page.reload()
    assert page.evaluate(ground) == dark != light
