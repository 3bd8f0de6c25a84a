"""Chromium publishes by WHIP, plays by WHEP, and calls both ways."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.engine.serve.webrtc.calls import PATIENCE, until
from tests.engine.serve.webrtc.mirror import Mirror
from tests.engine.serve.webrtc.tab import Tab, with_tab, write_numbers

from mien.serve.webrtc.settings import PeerSettings


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_numbers(tmp_path_factory.mktemp("camera") / "numbers.mjpeg")


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
