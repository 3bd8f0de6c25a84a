"""A page in Chromium that peers are begun in, and numbered pictures for its camera."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import av
from playwright.async_api import Page, async_playwright
from tests.engine.serve.page.browser import ALLOWED, FAKE, QUIET, find_chromium
from tests.engine.serve.webrtc.calls import PATIENCE
from tests.engine.serve.webrtc.client import numbered
from tests.engine.serve.webrtc.mirror import Mirror, mirror

from mien.serve.webrtc.settings import PeerSettings

SCRIPT = Path(__file__).with_name("browser.js")
BEGIN = """async ([what, wanted, codec, more]) => {
  const asked = { video: { width: 640, height: 480 }, audio: true };
  const camera = what === "whep" ? null : await navigator.mediaDevices.getUserMedia(asked);
  window.made = window.made ?? [];
  window.made.push(await peers.begin(`/${what}`, camera ? camera.getTracks() : [], wanted, codec, more));
}"""


def write_numbers(path: Path) -> Path:
    """Write numbered pictures, which Chromium takes for a camera."""
    with av.open(str(path), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for number in range(100):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
            out.mux(stream.encode(frame.reformat(format="yuvj420p")))
        out.mux(stream.encode(None))
    return path


class Tab:
    """A page that peers are begun in."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def begin(self, what: str, *wanted: str, codec: str = "", more: bool = False) -> None:
        """`more`: a data channel and a second camera are offered, too."""
        await self.page.evaluate(BEGIN, [what, list(wanted), codec, more])

    async def figures(self, number: int) -> dict[str, Any]:
        told: dict[str, Any] = await self.page.evaluate("(number) => peers.figures(made[number])", number)
        return told

    async def until_shown(self, number: int, count: int) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE + count / 10):
            while (told := await self.figures(number))["shown"] < count:  # noqa: ASYNC110 (of a page)
                await asyncio.sleep(0.1)
        return told

    async def end(self, number: int) -> None:
        await self.page.evaluate("(number) => peers.end(made[number])", number)


def with_tab(
    camera: Path, work: Callable[[Tab, Mirror], Awaitable[None]], settings: PeerSettings | None = None
) -> None:
    """Run `work(tab, mirror)` in a browser of its own."""
    path = find_chromium()
    flags = [*QUIET, ALLOWED, FAKE, f"--use-file-for-fake-video-capture={camera}"]

    async def main() -> None:
        async with mirror(settings) as made, async_playwright() as driver:
            browser = await driver.chromium.launch(executable_path=path, args=flags)
            page = await browser.new_page()
            await page.goto(made.url)
            await page.add_script_tag(path=SCRIPT)
            await work(Tab(page), made)
            await browser.close()

    asyncio.run(main())
