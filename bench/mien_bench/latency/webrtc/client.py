"""A peer as a program: `python -m mien_bench.latency.webrtc.client ADDRESS FILE` sends coded frames and reads answers.

When they are over, or on SIGTERM, it leaves what it saw in FILE as JSON.

Meanwhile it says lines, see `lines.py`.
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
from aiortc import MediaStreamTrack, RTCPeerConnection
from aiortc.codecs import get_capabilities

from mien import samples
from mien.clock import MonotonicClock
from mien.errors import MienError
from mien_bench.latency.webrtc.lines import REFUSED, SECOND, SEEN, SESSION
from mien_bench.latency.webrtc.receiving import Receiving
from mien_bench.latency.webrtc.signalling import Door, Refused, connection_of
from mien_bench.latency.webrtc.tracks import Bursts, Coded, Feeding
from mien_bench.latency.wish import PATIENCE, Rig, Wish
from mien_bench.live.camera import pictures_of

WAYS: Final = ("session", "whip")
LATE: Final = 1.5
"""Seconds after the last frame in which its answer may come."""


def main(arguments: list[str]) -> int:
    """Run until the end; 2 where something is wrong, 3 where the server is full."""
    options = _parser().parse_args(arguments)
    try:
        told = asyncio.run(_run(options))
    except Refused as error:
        return _failed(error, REFUSED)
    except MienError as error:
        return _failed(error, 2)
    Path(options.file).write_text(json.dumps(told))
    return 0


@dataclass(slots=True)
class Ends:
    """The tracks and connections of one run."""

    video: Coded
    audio: Bursts | None
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
    wish = _wish(options)
    rig = wish.rig(clock, patience=PATIENCE)
    ends = Ends(Coded(), Bursts() if wish.sound else None, Receiving(clock.now), [], set())
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
            await _until_over(feeding, stop, ends.receiving, rig, wish.frames)
            statistics = await door.statistics(session)
            await door.end(session)
        finally:
            await ends.close()
            await asyncio.to_thread(feeding.end)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "sight": ends.receiving.sight().as_json(),
        "sent": rig.stamped.sent,
        "held": rig.held,
        "silences": ends.receiving.silences,
        "lost": ends.video.lost,
        "statistics": statistics,
        "cpu": used.ru_utime + used.ru_stime,
    }


async def _begun(options: argparse.Namespace, door: Door, ends: Ends) -> str:
    if options.way == "session":
        return await door.session(ends.connect(sends=True, receives=True, codec=options.codec), options.portrait)
    session = await door.publish(ends.connect(sends=True, receives=False, codec=options.codec), options.portrait)
    await door.play(ends.connect(sends=False, receives=True, codec=options.codec), session)
    return session


async def _until_over(feeding: Feeding, stop: asyncio.Event, receiving: Receiving, rig: Rig, frames: int) -> None:
    """Until so many frames went after the first that was seen."""
    seen = asyncio.create_task(_tell_sight(receiving, rig, frames))
    waits = [asyncio.create_task(feeding.over.wait()), asyncio.create_task(stop.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        await asyncio.sleep(LATE)
    for task in (seen, *waits):
        task.cancel()
    await asyncio.gather(seen, *waits, return_exceptions=True)


async def _tell_sight(receiving: Receiving, rig: Rig, frames: int) -> None:
    await receiving.readable.wait()
    rig.stamped.let_run(frames)
    print(SEEN, flush=True)
    while True:
        begin = MonotonicClock().now()
        await asyncio.sleep(1.0)
        lately = receiving.lately(begin)
        p95 = float(np.percentile(lately, 95)) if lately else None
        print(SECOND, json.dumps({"at": begin, "pictures": len(lately), "p95": p95}), flush=True)


def _wish(options: argparse.Namespace) -> Wish:
    pictures = pictures_of(Path(options.driver) if options.driver else samples.driver(), size=options.size)
    delays = tuple(float(part) for part in options.delays.split(",")) if options.delays else ()
    portrait = next(iter(samples.portraits().values()))
    return Wish(pictures, options.frames, portrait, sound=not options.silent, delays=delays)


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
    parser.add_argument("--way", choices=WAYS, default="session")
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
