"""A real Chromium with a face for a camera, and what tests ask of a page in it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import av
import pytest
from playwright.sync_api import Browser, Page, Playwright, TimeoutError

from mien import samples

SCREENSHOTS = Path(os.environ["MIEN_SCREENSHOTS"]) if os.environ.get("MIEN_SCREENSHOTS") else None
"""Folder for pictures of the page, to be looked at; None: none are taken."""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
)
ALLOWED, DENIED, FAKE = (
    "--use-fake-ui-for-media-stream",
    "--deny-permission-prompts",
    "--use-fake-device-for-media-stream",
)
THEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
WIDE, PHONE = (1440, 1000), (360, 740)


def find_chromium() -> str:
    """Chromium's path; skips the test where there is none, but fails under MIEN_REQUIRE_BROWSER=1."""
    found = shutil.which("chromium")
    if found is None:
        told = "chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get("MIEN_REQUIRE_BROWSER") == "1":
            pytest.fail(told)
        pytest.skip(told)
    return found


def write_camera(path: Path, frames: int = 200) -> Path:
    """Write the sample driver's first pictures as the concatenated JPEGs that Chromium takes for a camera."""
    with av.open(str(samples.driver())) as clip, av.open(str(path), "w", format="mjpeg") as out:
        picture = clip.streams.video[0]
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 320, "yuvj420p"
        stream.codec_context.options = {"q": "3"}
        for number, frame in enumerate(clip.decode(picture)):
            if number == frames:
                break
            out.mux(stream.encode(frame.reformat(320, 320, "yuvj420p")))
        out.mux(stream.encode(None))
    return path


@contextmanager
def chromium(playwright: Playwright, *flags: str) -> Iterator[Browser]:
    """A browser of its own, with a profile that is thrown away."""
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*QUIET, *flags])
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def page_of(
    browser: Browser, *, size: tuple[int, int] = WIDE, theme: str = "light", reduced: bool = True, touch: bool = False
) -> Iterator[Page]:
    """A tab in a session of its own; errors in its scripts fail the test."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce" if reduced else "no-preference",
        has_touch=touch,
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if _is_broken(line.text) else None)
    try:
        yield page
    finally:
        context.close()
    assert errors == []


def _is_broken(line: str) -> bool:
    """Whether the console tells that the page itself is wrong."""
    return "Content Security Policy" in line or "MIME" in line


def start(page: Page) -> None:
    """Click once, and wait for a moving picture."""
    page.click("#start-button")
    wait_for_state(page, "running")


def wait_for_state(page: Page, *names: str, timeout: float = 30_000) -> str:
    """Wait until the page is in one of these states; returns which."""
    try:
        body = page.wait_for_selector(", ".join(f'body[data-state="{name}"]' for name in names), timeout=timeout)
    except TimeoutError as error:
        told = page.inner_text("#pill-text"), page.inner_text("#word"), page.inner_text("#notices")
        raise AssertionError(f"the page did not become {' or '.join(names)}: {told}") from error
    assert body is not None
    return body.get_attribute("data-state") or ""


def wait_until(page: Page, script: str, seconds: float = 20.0) -> None:
    """Until the JavaScript expression holds; asked again and again, since the page's policy forbids to wait inside."""
    give_up = time.monotonic() + seconds
    while not page.evaluate(script):
        assert time.monotonic() < give_up, f"{script} did not come true in {seconds:g} s"
        page.wait_for_timeout(50)


def shoot(page: Page, name: str, *, whole: bool = False) -> None:
    """Keep a picture of the page where wanted: of what the window shows, or the `whole` of it."""
    if SCREENSHOTS is None:
        return
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)


def shoot_all(page: Page, name: str) -> None:
    """Show it in both themes, wide and on a phone, keep these pictures where wanted, and leave it wide and light."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        for screen, (width, height) in {"wide": WIDE, "phone": PHONE}.items():
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("scrollTo(0, 0)")
            if SCREENSHOTS is not None:
                page.wait_for_timeout(300)  # charts are drawn anew about four times a second
            shoot(page, f"{name}-{theme}-{screen}", whole=screen == "wide")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
