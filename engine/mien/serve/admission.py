"""Admission control: how many sessions the machine sustains, by the measured cost of a frame.

One is refused rather than all of them made slower. A frame's cost is measured once, before the first session, on the
sample clip.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from mien import capture, samples
from mien.chain import open_chain
from mien.config import ReenactSettings
from mien.face.motion import Motion
from mien.frame import Frame
from mien.live.session import LARGEST, shares_of
from mien.live.shared import Shared
from mien.stages import open_driver
from mien.stats import UNTIMED

USABLE: Final = 0.9
"""Share of the processors that sessions may fill."""
RATE: Final = 25.0
"""Frames a second of a session, as cameras in calls are wont to give."""
SETTLED: Final = 5.0
"""Seconds after which a session shows what there is room for."""
COME_AGAIN: Final = 15.0
"""Seconds until a refused one may try again."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one frame, in seconds of one processor, at the level that is kept under load: the warp alone."""

    parse: float
    synthesis: float
    codecs: float
    """Decoding what comes and encoding what goes, packets included."""

    @property
    def whole(self) -> float:
        """All of it."""
        return self.parse + self.synthesis + self.codecs


@dataclass(frozen=True, slots=True)
class Load:
    """How a running session fares."""

    seconds: float
    """Since it began."""
    level: str
    latency: float
    """Seconds from capture to emit, of the last frames."""
    target: float


def sustained(cost: Cost, processors: int, rate: float = RATE) -> int:
    """How many sessions `processors` carry at `rate` frames a second; at least one."""
    return max(math.floor(USABLE * processors / (cost.whole * rate)), 1)


def overloaded(loads: Sequence[Load]) -> bool:
    """Whether those that run have already less than they can do with: another one would take it from them.

    Held pictures, or a latency of twice what was promised though only the warp is left.
    """
    return any(
        load.seconds >= SETTLED and (load.level == "hold" or (load.level == "warp" and load.latency > 2 * load.target))
        for load in loads
    )


FRAMES = 24
WARMING_FRAMES = 4
PACKETS = 0.004
"""Seconds that RTP, SRTP and ICE take for a frame's packets both ways; they run in Python."""


def measure(picture: str, settings: ReenactSettings, shared: Shared) -> tuple[Cost, str]:
    """The cost of a frame, and what makes the pictures; all that sessions share is loaded afterwards.

    Processor time is counted, not time passed: a machine that is busy for the moment measures the same.

    Raises:
        MienError: the portrait or the model cannot be used, or it was stopped meanwhile.
    """
    need_wanted = shared.graphs.need_wanted
    portraits = shared.prepare(picture, size=settings.size, largest=LARGEST)
    need_wanted()
    chain = open_chain(portraits, settings, shares_of(settings).synthesis, graphs=shared.graphs)
    try:
        need_wanted()
        with open_driver(settings) as driver:
            need_wanted()
            frames = list(_driver_frames(WARMING_FRAMES + FRAMES))
            moves: list[Motion | None] = []

            def look(frame: Frame) -> None:
                moves.append(driver.motion(driver.parse(frame), frame.seconds))

            parse = _seconds(frames, look, need_wanted)

        following = iter(moves)
        synthesis = _seconds(frames, lambda frame: chain(next(following), frame, "off", UNTIMED), need_wanted)
        return Cost(parse, synthesis, _codecs(portraits[0].size, need_wanted) + PACKETS), chain.about
    finally:
        chain.close()


def _driver_frames(count: int) -> Iterator[Frame]:
    with capture.open(samples.driver(), threads=1) as source:
        yield from itertools.islice((item for item in source if isinstance(item, Frame)), count)


def _seconds(frames: list[Frame], call: Callable[[Frame], object], need_wanted: Callable[[], None]) -> float:
    """Processor time of all threads for one frame, the first few left out."""
    for frame in frames[:WARMING_FRAMES]:
        need_wanted()
        call(frame)
    began = time.process_time()
    for frame in frames[WARMING_FRAMES:]:
        need_wanted()
        call(frame)
    return (time.process_time() - began) / max(len(frames) - WARMING_FRAMES, 1)


def _codecs(size: tuple[int, int], need_wanted: Callable[[], None]) -> float:
    """Encoding a picture of `size` and decoding it again, by H.264."""
    encoder, decoder = CodecContext.create("libx264", "w"), CodecContext.create("h264", "r")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base, encoder.bit_rate = "yuv420p", Fraction(1, 25), 1_000_000
    encoder.thread_count = decoder.thread_count = 1
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    smooth = np.ascontiguousarray(np.kron(noise[::16, ::16], np.ones((16, 16, 1), np.uint8))[: size[1], : size[0]])

    def both(frame: Frame) -> None:
        picture = VideoFrame.from_ndarray(np.roll(smooth, frame.pts, axis=1), format="rgb24")
        picture.pts = frame.pts
        for packet in encoder.encode(picture):
            decoder.decode(packet)

    return _seconds(
        [Frame(smooth, number, Fraction(1, 25)) for number in range(WARMING_FRAMES + FRAMES)], both, need_wanted
    )
