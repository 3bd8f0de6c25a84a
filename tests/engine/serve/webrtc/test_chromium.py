"""Chromium publishes by WHIP, plays by WHEP, and calls both ways."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import av
import pytest
from playwright.async_api import Page, async_playwright
from tests.engine.serve.page.browser import ALLOWED, FAKE, QUIET, find_chromium
from tests.engine.serve.webrtc.calls import PATIENCE, until
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


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Numbered pictures, which Chromium takes for a camera."""
    path = tmp_path_factory.mktemp("camera") / "numbers.mjpeg"
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


def with_tab(camera: Path, work: Any, settings: PeerSettings | None = None) -> None:
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


@pytest.mark.parametrize("codec", ["video/H264", "video/VP8", ""])
def test_it_calls_both_ways(camera: Path, codec: str) -> None:
    async def work(tab: Tab, made: Mirror) -> None:
        await tab.begin("whip", "video", "audio", codec=codec)
        told = await tab.until_shown(0, 40)
        assert (told["width"], told["height"]) == (640, 480)
        ((peer, echo),) = made.publishers
        assert peer.statistics()["codec"] == (codec or "video/H264").partition("/")[2].lower()
        assert echo.sounds > 20
        await until(lambda: len(set(echo.numbers[-20:])) > 10)
        assert all(number < 100 for number in echo.numbers[-20:])
        await tab.end(0)
        assert await asyncio.wait_for(peer.wait_closed(), PATIENCE) == "it said goodbye"

    with_tab(camera, work)


def test_what_it_offers_beyond_a_picture_and_sound_is_turned_down(camera: Path) -> None:
    async def work(tab: Tab, made: Mirror) -> None:
        await tab.begin("whip", "video", "audio", more=True)
        await tab.until_shown(0, 5)
        ((peer, echo),) = made.publishers
        await until(lambda: echo.sounds > 5)
        assert [line.split(" ")[1] == "0" for line in peer.answer_sdp.splitlines() if line.startswith("m=")].count(
            True
        ) == 2

    with_tab(camera, work)


@pytest.mark.parametrize("count", [60, pytest.param(1200, marks=pytest.mark.long)])
@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
def test_it_publishes_and_plays_without_a_break(camera: Path, codec: str, count: int) -> None:
    async def work(tab: Tab, made: Mirror) -> None:
        await tab.begin("whip", codec=codec)
        await tab.begin("whep", "video", "audio", codec=codec)
        told = await tab.until_shown(1, count)
        assert told["inbound-rtp video"]["framesDecoded"] >= count
        assert told["inbound-rtp audio"]["packetsReceived"] > count / 2
        assert told["longest"] < 5.0
        ((publisher, echo),) = made.publishers
        assert echo.count >= count
        assert publisher.statistics()["frames_lost"] == 0
        await tab.end(1)
        await tab.end(0)
        assert made.requests == ["POST /whip", "POST /whep", "DELETE /whep", "DELETE /whip"]

    with_tab(camera, work)


def test_a_tab_that_is_closed_ends_its_peer(camera: Path) -> None:
    async def work(tab: Tab, made: Mirror) -> None:
        await tab.begin("whip", "video")
        await tab.until_shown(0, 5)
        await tab.page.close()
        ((peer, _),) = made.publishers
        assert await asyncio.wait_for(peer.wait_closed(), PATIENCE)

    with_tab(camera, work, PeerSettings(idle=2.0))
