"""Sessions whose peers are real: aiortc on the other side of loopback, H.264 and SRTP between."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from statistics import median

import aiohttp
import pytest
from tests.engine.serve.harness import PATIENCE, SETTINGS, FakeAnswering, Place, at_once, run
from tests.engine.serve.webrtc.client import Client, Pictures

from mien.machine.memory import memory
from mien.serve.peering import WebRtc
from mien.serve.running import listening
from mien.serve.server import Server
from mien.serve.webrtc.settings import PeerSettings

FPS = 25.0
SETTINGS_OF_PEERS = PeerSettings(first_media=30.0, idle=20.0)
GROWTH = 250_000
"""Bytes a cycle, of allocators and of the client, too: one kept decoder or encoder is several times as much."""
WARMED = 5
"""Cycles after which all is loaded that stays loaded."""


async def connected(place: Place, **body: object) -> tuple[Client, dict[str, object]]:
    """A peer that sends pictures and has seen some, and its session."""
    client = Client(video=Pictures(FPS, (320, 240)), wants_video=True)
    sdp = await client.offer()
    answer = await place.ask("POST", "/api/v1/sessions", status=201, json={"sdp": sdp, **body})
    await client.accept(answer.json["sdp"])
    await place.until_true(lambda: len(client.received.pictures) >= 3)
    return client, answer.json


async def serve_real(main: Callable[[Place], Awaitable[None]]) -> None:
    """Run `main` with a server whose peers are real: the place's own `answering` is not asked."""
    settings = replace(SETTINGS, peer=SETTINGS_OF_PEERS)
    async with (
        Server.running(settings, answering=WebRtc(), warming=at_once) as server,
        listening(server) as (host, port),
        aiohttp.ClientSession() as http,
    ):
        await server.warming
        await main(Place(server, FakeAnswering(), f"http://{host}:{port}", http))


def test_a_silent_peers_session_waits_and_is_taken_over(caplog: pytest.LogCaptureFixture) -> None:
    async def main(place: Place) -> None:
        first, begun = await connected(place)
        at = f"/api/v1/sessions/{begun['id']}"
        told = (await place.ask("GET", f"{at}/statistics")).json
        assert told["connection"]["state"] == "connected"
        assert told["connection"]["codec"] == "h264"
        await first.close()
        await place.until(at, lambda told: told["state"] == "waiting")
        second, resumed = await connected(place, resume=begun["resume_token"])
        assert resumed["id"] == begun["id"]
        assert (await place.ask("GET", at)).json["state"] == "running"
        await second.close()
        await place.ask("DELETE", at, status=204)

    run(lambda: serve_real(main))
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_two_watch_a_session_by_whep() -> None:
    async def main(place: Place) -> None:
        client, begun = await connected(place)
        viewers = []
        for _ in range(2):
            viewer = Client(wants_video=True)
            headers = {"Content-Type": "application/sdp"}
            offer = await viewer.offer()
            answer = await place.ask("POST", f"/whep/{begun['id']}", status=201, headers=headers, data=offer)
            await viewer.accept(answer.body.decode())
            await place.until_true(lambda viewer=viewer: len(viewer.received.pictures) >= 3)  # type: ignore[misc]
            viewers.append(viewer)
        assert all(viewer.received.sizes == {(128, 128)} for viewer in viewers)
        for one in (client, *viewers):
            await one.close()

    run(lambda: serve_real(main))


@pytest.mark.parametrize("cycles", [8, pytest.param(200, marks=pytest.mark.long)])
def test_coming_and_going_leaves_nothing_behind(cycles: int) -> None:
    """Threads and descriptors after every cycle are as many as after the first few; so is memory after many."""
    held: list[int] = []
    before: list[tuple[int, int]] = []

    async def main(place: Place) -> None:
        for cycle in range(cycles):
            client, begun = await connected(place)
            await client.close()
            del client  # its decoder has threads, too
            await place.ask("DELETE", f"/api/v1/sessions/{begun['id']}", status=204)
            await place.until_true(lambda: place.server.sessions.all == ())
            if cycle < WARMED:
                await asyncio.sleep(0.2)
                before.append(_now())
            else:
                with contextlib.suppress(TimeoutError):
                    await place.until_true(lambda: _no_more_than(before))
                assert _no_more_than(before), (cycle, before, _now(), [one.name for one in threading.enumerate()])
            held.append(memory())

    run(lambda: serve_real(main), PATIENCE * cycles / 4)
    if cycles >= 100:
        half = cycles // 2
        assert median(held[half:]) - median(held[WARMED:half]) < GROWTH * half, held


def _now() -> tuple[int, int]:
    """What is held for good: threads, but for the loop's own pool, which grows and then stays; and descriptors."""
    gc.collect()  # connections of aiortc, the client's too, are rings
    pooled = sum(thread.name.startswith("asyncio_") for thread in threading.enumerate())
    return len(os.listdir("/proc/self/task")) - pooled, len(os.listdir("/proc/self/fd"))


def _no_more_than(before: list[tuple[int, int]]) -> bool:
    return all(now <= max(then) for now, then in zip(_now(), zip(*before, strict=True), strict=True))
