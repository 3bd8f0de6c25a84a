"""A peer as a program: `python -m mien_bench.latency.webrtc.client ADDRESS FILE` sends coded frames and reads answers.

When they are over, or on SIGTERM, it leaves what it saw in FILE as JSON. Meanwhile it prints lines, see
`mien_bench.latency.programs`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import get_capabilities

from mien import samples
from mien.clock import MonotonicClock
from mien.errors import MienError
from mien_bench.latency.path_run import PATIENCE, CodedSource, PathSetup
from mien_bench.latency.programs import REFUSED, SECOND, SEEN, SESSION
from mien_bench.latency.sources import pictures_of
from mien_bench.latency.webrtc.media import ChirpTrack, CodedTrack, Feeding, Receiving

_SDP: Final = {"Content-Type": "application/sdp"}
CREATED: Final = 201
FULL: Final = 503
SIGNALLING: Final = ("session", "whip")
LATE: Final = 1.5
"""Seconds after the last frame in which its answer may come."""


class Refused(MienError):
    """The server is full."""


@dataclass(slots=True)
class Door:
    """A server's API."""

    http: aiohttp.ClientSession
    url: str
    """Without a slash at the end."""

    async def session(self, connection: RTCPeerConnection, portrait: str | None) -> str:
        """Begin one that goes both ways; its id."""
        body: dict[str, Any] = {"sdp": await offer_of(connection)}
        if portrait is not None:
            body["portrait"] = portrait
        async with self.http.post(f"{self.url}/api/v1/sessions", json=body) as response:
            await self._need_created(response)
            report = await response.json()
        await _accept(connection, report["sdp"])
        return str(report["id"])

    async def publish(self, connection: RTCPeerConnection, portrait: str | None) -> str:
        """Send by WHIP; the session's id."""
        query = {} if portrait is None else {"portrait": portrait}
        location = await self._offered("/whip", connection, query)
        return location.rpartition("/")[2]

    async def play(self, connection: RTCPeerConnection, session: str) -> None:
        """Watch by WHEP."""
        await self._offered(f"/whep/{session}", connection, {})

    async def statistics(self, session: str) -> dict[str, Any]:
        """Of a session; empty where it has ended."""
        async with self.http.get(f"{self.url}/api/v1/sessions/{session}/statistics") as response:
            return dict(await response.json()) if response.status == 200 else {}

    async def end(self, session: str) -> None:
        async with self.http.delete(f"{self.url}/api/v1/sessions/{session}"):
            pass

    async def _offered(self, path: str, connection: RTCPeerConnection, query: dict[str, str]) -> str:
        """Bring an offer and take the answer; the new resource's path."""
        sdp = await offer_of(connection)
        async with self.http.post(self.url + path, params=query, data=sdp, headers=_SDP) as response:
            await self._need_created(response)
            answer, location = await response.text(), response.headers["Location"]
        await _accept(connection, answer)
        return location

    async def _need_created(self, response: aiohttp.ClientResponse) -> None:
        if response.status == FULL:
            raise Refused(f"{self.url}: expected room for a session, got none")
        if response.status != CREATED:
            text = (await response.text())[:200]
            raise MienError(f"{self.url}: expected an answer to an offer, got {response.status} {text}")


def connection_of() -> RTCPeerConnection:
    """One that needs no server to find its candidates: all is on this machine."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


async def offer_of(connection: RTCPeerConnection) -> str:
    """With all candidates in it."""
    await connection.setLocalDescription(await connection.createOffer())
    return str(connection.localDescription.sdp)


async def _accept(connection: RTCPeerConnection, answer: str) -> None:
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))


def main(arguments: list[str]) -> int:
    """Run until the end; 2 where something is wrong, 3 where the server is full."""
    options = _parser().parse_args(arguments)
    try:
        report = asyncio.run(_run(options))
    except Refused as error:
        return _failed(error, REFUSED)
    except MienError as error:
        return _failed(error, 2)
    Path(options.file).write_text(json.dumps(report))
    return 0


@dataclass(slots=True)
class Ends:
    """The tracks and connections of one run."""

    video: CodedTrack
    audio: ChirpTrack | None
    receiving: Receiving
    connections: list[RTCPeerConnection]
    reading: set[asyncio.Task[None]]

    def connect(self, *, sends: bool, receives: bool, codec: str) -> RTCPeerConnection:
        """A connection for one direction or both."""
        connection = connection_of()
        self.connections.append(connection)
        direction = "sendrecv" if sends and receives else "sendonly" if sends else "recvonly"
        video = connection.addTransceiver(self.video if sends else "video", direction=direction)
        able = get_capabilities("video").codecs
        video.setCodecPreferences([one for one in able if one.name in (codec, "rtx")])
        if self.audio is not None:
            connection.addTransceiver(self.audio if sends else "audio", direction=direction)
        connection.on("track", self._read)
        return connection

    async def close(self) -> None:
        for connection in self.connections:
            await connection.close()
        for task in self.reading:
            task.cancel()
        await asyncio.gather(*self.reading, return_exceptions=True)

    def _read(self, track: MediaStreamTrack) -> None:
        self.reading.add(asyncio.get_running_loop().create_task(self.receiving.read(track)))


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    loop, clock = asyncio.get_running_loop(), MonotonicClock()
    setup = _setup(options)
    rig = setup.rig(clock, patience=PATIENCE)
    ends = Ends(CodedTrack(), ChirpTrack() if setup.sound else None, Receiving(clock.now), [], set())
    feeding = Feeding(rig, ends.video, ends.audio, loop)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    headers = {"Authorization": f"Bearer {options.token}"} if options.token else {}
    async with aiohttp.ClientSession(headers=headers) as http:
        door = Door(http, options.server.rstrip("/"))
        try:
            session = await _begun(options, door, ends)
            print(SESSION, session, flush=True)
            feeding.begin()
            await _until_over(feeding, stop, ends.receiving, rig, setup.frames)
            statistics = await door.statistics(session)
            await door.end(session)
        finally:
            await ends.close()
            await asyncio.to_thread(feeding.end)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "observed": ends.receiving.observed().as_json(),
        "sent": rig.stamped.sent,
        "held": rig.held,
        "silences": ends.receiving.silences,
        "lost": ends.video.lost,
        "statistics": statistics,
        "cpu": used.ru_utime + used.ru_stime,
    }


async def _begun(options: argparse.Namespace, door: Door, ends: Ends) -> str:
    if options.signalling == "session":
        return await door.session(ends.connect(sends=True, receives=True, codec=options.codec), options.portrait)
    session = await door.publish(ends.connect(sends=True, receives=False, codec=options.codec), options.portrait)
    await door.play(ends.connect(sends=False, receives=True, codec=options.codec), session)
    return session


async def _until_over(
    feeding: Feeding, stop: asyncio.Event, receiving: Receiving, rig: CodedSource, frames: int
) -> None:
    """Until so many frames went after the first that was seen."""
    seen = asyncio.create_task(_tell_sight(receiving, rig, frames))
    waits = [asyncio.create_task(feeding.over.wait()), asyncio.create_task(stop.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        await asyncio.sleep(LATE)
    for task in (seen, *waits):
        task.cancel()
    await asyncio.gather(seen, *waits, return_exceptions=True)


async def _tell_sight(receiving: Receiving, rig: CodedSource, frames: int) -> None:
    await receiving.readable.wait()
    rig.stamped.let_run(frames)
    print(SEEN, flush=True)
    while True:
        begin = MonotonicClock().now()
        await asyncio.sleep(1.0)
        lately = receiving.lately(begin)
        p95 = float(np.percentile(lately, 95)) if lately else None
        print(SECOND, json.dumps({"at": begin, "pictures": len(lately), "p95": p95}), flush=True)


def _setup(options: argparse.Namespace) -> PathSetup:
    pictures = pictures_of(Path(options.driver) if options.driver else samples.driver(), size=options.size)
    delays = tuple(float(part) for part in options.delays.split(",")) if options.delays else ()
    portrait = next(iter(samples.portraits().values()))
    return PathSetup(pictures, options.frames, portrait, sound=not options.silent, delays=delays)


def _failed(error: MienError, code: int) -> int:
    with contextlib.suppress(OSError):
        print(error, file=sys.stderr)
    return code


def size_of(text: str) -> tuple[int, int]:
    """WxH."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("file")
    parser.add_argument("--signalling", choices=SIGNALLING, default="session")
    parser.add_argument("--token")
    parser.add_argument("--portrait", help="id on the server")
    parser.add_argument("--driver")
    parser.add_argument("--size", type=size_of, default=(640, 480))
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--codec", choices=("VP8", "H264"), default="H264")
    parser.add_argument("--delays", help="seconds of a delay line, separated by commas")
    parser.add_argument("--silent", action="store_true", help="no sound")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
