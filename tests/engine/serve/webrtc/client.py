"""A peer made of plain aiortc: sends numbered pictures and a tone, counts and reads what it gets back.

Each picture carries its number as 16 large squares, black or white, which survive any encoder; so a picture that comes
back tells how long it was on its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from time import perf_counter

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import get_capabilities
from aiortc.mediastreams import MediaStreamError
from av.frame import Frame
from numpy.typing import NDArray
from tests.engine.serve.webrtc.wire import Wire

BITS = 16
RATE = 48_000
RUN = 960


def numbered(number: int, width: int = 640, height: int = 480) -> NDArray[np.uint8]:
    """(height, width, 3) uint8: a grey gradient with `number` in 4 x 4 squares in its middle."""
    ramp = np.linspace(60, 190, width, dtype=np.uint8)
    pixels = np.repeat(np.repeat(ramp[None, :, None], height, axis=0), 3, axis=2)
    side = min(width, height) // 8
    top, left = height // 2 - 2 * side, width // 2 - 2 * side
    for bit in range(BITS):
        y, x = top + bit // 4 * side, left + bit % 4 * side
        pixels[y : y + side, x : x + side] = 235 if number >> bit & 1 else 16
    return pixels


def number_in(pixels: NDArray[np.uint8]) -> int:
    """The number that `numbered` wrote into (H, W, 3) pixels."""
    height, width = pixels.shape[:2]
    side = min(width, height) // 8
    top, left = height // 2 - 2 * side, width // 2 - 2 * side
    number = 0
    for bit in range(BITS):
        y, x = top + bit // 4 * side + side // 4, left + bit % 4 * side + side // 4
        number |= int(pixels[y : y + side // 2, x : x + side // 2].mean() > 126) << bit
    return number


class Pictures(MediaStreamTrack):
    """Numbered pictures at a steady rate."""

    kind = "video"

    def __init__(self, fps: float, size: tuple[int, int] = (640, 480)) -> None:
        super().__init__()
        self.sent: dict[int, float] = {}
        """When each number was handed to the encoder, in seconds of `perf_counter`."""
        self._fps, self._size = fps, size
        self._begun: float | None = None
        self._number = -1

    async def recv(self) -> Frame:
        now = perf_counter()
        self._begun = now if self._begun is None else self._begun
        self._number += 1
        await asyncio.sleep(max(self._begun + self._number / self._fps - now, 0.0))
        frame = av.VideoFrame.from_ndarray(numbered(self._number, *self._size), format="rgb24")
        frame.pts, frame.time_base = round(self._number * 90_000 / self._fps), Fraction(1, 90_000)
        self.sent[self._number] = perf_counter()
        return frame


class Tone(MediaStreamTrack):
    """A sine that beeps: sounds for the first 100 ms of each second."""

    kind = "audio"

    def __init__(self, hertz: float = 1000.0) -> None:
        super().__init__()
        self._hertz = hertz
        self._begun: float | None = None
        self._first = 0

    async def recv(self) -> Frame:
        now = perf_counter()
        self._begun = now if self._begun is None else self._begun
        await asyncio.sleep(max(self._begun + self._first / RATE - now, 0.0))
        at = self._first + np.arange(RUN)
        wave = np.sin(2 * np.pi * self._hertz * at / RATE) * (at % RATE < RATE // 10) * 0.5
        frame = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._first, Fraction(1, RATE)
        self._first += RUN
        return frame


@dataclass
class Received:
    """What came back."""

    pictures: list[tuple[float, int]] = field(default_factory=list)
    """When, in seconds of `perf_counter`, and the number in it."""
    sizes: set[tuple[int, int]] = field(default_factory=set)
    came: dict[int, float] = field(default_factory=dict)
    """When the last packet of each number's picture came."""
    runs: list[tuple[float, NDArray[np.int16]]] = field(default_factory=list)
    """When, and (2, n) int16."""


class Client:
    """One peer; `offer` and `accept` frame whatever carries the answer."""

    def __init__(
        self,
        *,
        video: MediaStreamTrack | None = None,
        audio: MediaStreamTrack | None = None,
        wants_video: bool = False,
        wants_audio: bool = False,
        codec: str = "H264",
        order: Sequence[str] = ("video", "audio"),
        seen: Callable[[], None] | None = None,
    ) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.received = Received()
        self._tasks: list[asyncio.Task[None]] = []
        self._seen = seen
        self.wire: Wire | None = None
        asked = {"video": (video, wants_video), "audio": (audio, wants_audio)}
        for kind in order:
            track, wants = asked[kind]
            if track is not None or wants:
                direction = "sendrecv" if track is not None and wants else "recvonly" if wants else "sendonly"
                one = self.connection.addTransceiver(track or kind, direction=direction)
                if kind == "video":
                    offered = get_capabilities("video").codecs
                    one.setCodecPreferences([found for found in offered if found.name in (codec, "rtx")])
        self.connection.on("track", self._begin)

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def accept(self, answer: str) -> None:
        self.wire = next((Wire(one) for one in self.connection.getTransceivers() if one.kind == "video"), None)
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def close(self) -> None:
        await self.connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def latencies(self) -> list[float]:
        """Seconds from the last packet of each picture to the last packet of its answer."""
        pairs = [(self.wire.left(number) if self.wire else None, came) for number, came in self.received.came.items()]
        return [came - left for left, came in pairs if left is not None]

    def _begin(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(self._read(track)))

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, av.VideoFrame):
                pixels = np.asarray(await asyncio.to_thread(frame.to_ndarray, format="rgb24"), np.uint8)
                number = number_in(pixels)
                self.received.pictures.append((perf_counter(), number))
                came = self.wire.came(frame.pts) if self.wire is not None and frame.pts is not None else None
                if came is not None:
                    self.received.came.setdefault(number, came)
                self.received.sizes.add((frame.width, frame.height))
                if self._seen is not None:
                    self._seen()
            elif isinstance(frame, av.AudioFrame):
                samples = np.asarray(frame.to_ndarray(), np.int16).reshape(-1, 2).T
                self.received.runs.append((perf_counter(), samples))
