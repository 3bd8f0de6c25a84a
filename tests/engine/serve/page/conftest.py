"""One browser for each file of tests of the page, and a server for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from tests.engine.serve.page.browser import (
    ALLOWED,
    FAKE,
    chromium,
    find_chromium,
    page_of,
    wait_for_state,
    write_camera,
)
from tests.engine.serve.page.fake_server import FakeServer


@pytest.fixture(scope="session")
def camera_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_camera(tmp_path_factory.mktemp("camera") / "driver.mjpeg")


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Gone with its module: as long as it lives, an event loop counts as running in this thread."""
    find_chromium()
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(playwright: Playwright, camera_file: Path) -> Iterator[Browser]:
    """With the sample driver before its camera, and the permission to use it."""
    with chromium(playwright, ALLOWED, FAKE, f"--use-file-for-fake-video-capture={camera_file}") as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


@pytest.fixture
def page(browser: Browser, server: FakeServer) -> Iterator[Page]:
    """The page, ready to be started."""
    with page_of(browser) as opened:
        opened.goto(server.origin)
        wait_for_state(opened, "idle")
        yield opened
