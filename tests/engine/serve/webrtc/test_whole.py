"""Real peers on the real server: a face goes in by RTP, and the portrait comes out."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import aiohttp
import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack
from av.frame import Frame
from numpy.typing import NDArray
from tests.engine.serve.harness import SETTINGS, at_once, run
from tests.engine.serve.webrtc.calls import PATIENCE, our_threads, until
from tests.engine.serve.webrtc.client import Client, Tone

from mien import samples
from mien.serve.peering import WebRtc
from mien.serve.running import listening
from mien.serve.server import Server
from mien.serve.settings import ServeSettings
from mien.serve.webrtc.settings import PeerSettings

SDP = {"Content-Type": "application/sdp"}
SIDE = 256


class Clip(MediaStreamTrack):
    """The sample driver, again and again."""

    kind = "video"

    def __init__(self, frames: list[NDArray[np.uint8]]) -> None:
        super().__init__()
        self._frames = frames
        self._number = 0
        self._begun: float | None = None

    async def recv(self) -> Frame:
        now = asyncio.get_running_loop().time()
        self._begun = now if self._begun is None else self._begun
        await asyncio.sleep(max(self._begun + self._number / 25 - now, 0.0))
        frame = av.VideoFrame.from_ndarray(self._frames[self._number % len(self._frames)], format="rgb24")
        frame.pts, frame.time_base = self._number, Fraction(1, 25)
        self._number += 1
        return frame


@pytest.fixture(scope="module")
def clip() -> list[NDArray[np.uint8]]:
    frames = []
    with av.open(str(samples.driver())) as container:
        for frame in container.decode(video=0):
            frames.append(np.asarray(frame.reformat(SIDE, SIDE, "rgb24").to_ndarray(), np.uint8))
            if len(frames) == 50:
                break
    return frames


class Place:
    """A server with real peers, and a client of it."""

    def __init__(self, server: Server, url: str, http: aiohttp.ClientSession) -> None:
        self.server, self._url, self._http = server, url, http

    async def ask(self, method: str, path: str, status: int, **more: Any) -> tuple[Any, str]:
        """Headers and body of the answer."""
        async with self._http.request(method, self._url + path, **more) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return answer.headers, text

    async def told(self, path: str) -> dict[str, Any]:
        async with self._http.get(self._url + path) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def until(self, path: str, met: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while not met(found := await self.told(path)):  # noqa: ASYNC110 (of another part's state)
                await asyncio.sleep(0.05)
        return found


@contextlib.asynccontextmanager
async def serving(settings: ServeSettings = SETTINGS) -> AsyncIterator[Place]:
    async with (
        Server.running(settings, answering=WebRtc(), warming=at_once) as server,
        listening(server) as (host, port),
        aiohttp.ClientSession() as http,
    ):
        await server.warming
        yield Place(server, f"http://{host}:{port}", http)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_the_page_gets_the_portrait_and_the_sound_on_the_same_peer(clip: list[NDArray[np.uint8]], codec: str) -> None:
    async def main() -> None:
        async with serving() as place:
            client = Client(video=Clip(clip), audio=Tone(), wants_video=True, wants_audio=True, codec=codec)
            asked = {"sdp": await client.offer(), "portrait": "teo"}
            _, text = await place.ask("POST", "/api/v1/sessions", 201, json=asked)
            (session,) = (await place.told("/api/v1/sessions"))["sessions"]
            await client.accept(json.loads(text)["sdp"])
            await until(lambda: len(client.received.pictures) > 10 and len(client.received.runs) > 10)
            at = f"/api/v1/sessions/{session['id']}"
            told = await place.until(f"{at}/statistics", lambda told: told["face"] == "found")
            assert told["connection"]["state"] == "connected"
            assert told["connection"]["codec"] == codec.lower()
            (size,) = client.received.sizes
            assert max(size) == 128
            await place.ask("DELETE", at, 204)
            await until(lambda: client.connection.connectionState == "closed")
            await client.close()
        await until(lambda: not our_threads())

    run(main)


def test_a_viewer_goes_on_seeing_while_one_peer_takes_over_from_another(clip: list[NDArray[np.uint8]]) -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, peer=PeerSettings(idle=3.0))) as place:
            first = Client(video=Clip(clip))
            headers, answer = await place.ask("POST", "/whip", 201, headers=SDP, data=await first.offer())
            await first.accept(answer)
            at = headers["Location"].replace("/whip/", "/api/v1/sessions/")
            await place.until(at, lambda told: told["state"] == "running")

            viewer = Client(wants_video=True)
            where = headers["Location"].replace("/whip/", "/whep/")
            watched, answer = await place.ask("POST", where, 201, headers=SDP, data=await viewer.offer())
            await viewer.accept(answer)
            await until(lambda: len(viewer.received.pictures) > 5)

            for protocol in wire_of(first)._connection._protocols:
                protocol.transport.abort()  # the network is cut
            await place.until(at, lambda told: told["state"] == "waiting")
            second = Client(video=Clip(clip))
            query = f"/whip?resume={headers['Mien-Resume']}"
            _, answer = await place.ask("POST", query, 201, headers=SDP, data=await second.offer())
            await second.accept(answer)
            told = await place.until(f"{at}/statistics", lambda told: bool(told["connection"]))
            count = len(viewer.received.pictures)
            await place.until(f"{at}/statistics", lambda now: now["frames"]["in"] > told["frames"]["in"] + 10)
            await until(lambda: len(viewer.received.pictures) > count + 10)
            assert len(viewer.received.sizes) == 1

            await place.ask("DELETE", watched["Location"], 200)
            await place.ask("DELETE", headers["Location"], 200)
            for client in (first, second, viewer):
                await client.close()

    run(main)


def test_an_offer_that_cannot_be_met_is_told_and_leaves_no_session() -> None:
    async def main() -> None:
        async with serving() as place:
            client = Client(wants_video=True)
            _, text = await place.ask("POST", "/whip", 422, headers=SDP, data=await client.offer())
            assert "sends a picture" in text
            _, text = await place.ask("POST", "/whip", 400, headers=SDP, data="v=0\r\ngarbage")
            assert "expected SDP" in text
            assert (await place.told("/api/v1/sessions"))["sessions"] == []
            await client.close()

    run(main)


def wire_of(client: Client) -> Any:
    return client.connection.getTransceivers()[0].receiver.transport.transport
