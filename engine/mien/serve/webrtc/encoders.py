"""Low-delay encoders of pictures and sound, with a bitrate that may change with every picture."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol, TypeAlias

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.stream import VideoStream
from numpy.typing import NDArray

from mien.serve.webrtc.settings import BitrateLimits, Codec

Planes = NDArray[np.uint8]
VideoPacket: TypeAlias = "Packet[VideoStream]"
SoundPacket: TypeAlias = "Packet[AudioStream]"

TIME_BASE = Fraction(1, 90_000)
SOUND_RATE = 48_000
SOUND_BITS = 64_000
_FRAME_RATE = 30
_NO_KEYS = 3000
"""Pictures between key frames that nobody asked for."""
_ROOM, _LEAST_OF_RANGE = 1.6, 0.25
"""Up to which rate x264 is opened, as a multiple of what is wanted; the least of it at which it is kept."""
_BUFFER = 0.15
"""Seconds of the rate that x264 was opened for which a picture may take."""
_KEY_SHARE = "600"
"""Percent of a usual picture's bits that libvpx gives to a key frame."""
_LESS, _MORE = 0.8, 1.5
"""How far a VP8 rate must fall or rise to be followed: each change begins anew, with a key frame."""
_SLOWEST = 2.0
"""How many times fewer pictures than x264 was told may come without that each gets fewer bits."""


class VideoEncoder(Protocol):
    """Used by one thread."""

    def encode(self, planes: Planes, ticks: int, bits: int, *, key: bool) -> VideoPacket | None:
        """One packet for (H * 3 / 2, W) uint8 of yuv420p, H and W even, at about `bits` a second.

        Args:
            ticks: its time, in 1/90000 s.
            key: whether it must need no picture before it.
        """
        ...


class H264Encoder:
    """Constrained baseline, x264.

    x264 follows a rate below that with which it was opened at once, without a key frame, but the size of its pictures
    (key frames, too) is bounded by the latter. So it is opened anew where the rate is no longer in the range of it.
    """

    def __init__(self, limits: BitrateLimits, threads: int) -> None:
        self._most = round(limits.most * _SLOWEST)
        self._threads = threads
        self._context: VideoCodecContext | None = None
        self._opened_for = 0
        self._last = 0
        self._interval = 1 / _FRAME_RATE

    def encode(self, planes: Planes, ticks: int, bits: int, *, key: bool) -> VideoPacket | None:
        context, size = self._context, _size(planes)
        self._watch(ticks)
        rate = min(round(bits * self._interval * _FRAME_RATE), self._most)  # x264 counts pictures, not time
        fits = _LEAST_OF_RANGE * self._opened_for <= rate <= self._opened_for
        if context is None or (context.width, context.height) != size or not fits:
            context = self._context = self._opened(*size, min(round(rate * _ROOM), self._most))
        context.bit_rate = rate
        return _encoded(context, planes, ticks, key)

    def _watch(self, ticks: int) -> None:
        interval = min(max((ticks - self._last) / 90_000, 1 / _FRAME_RATE), _SLOWEST / _FRAME_RATE)
        self._last = ticks
        self._interval += (interval - self._interval) / _FRAME_RATE

    def _opened(self, width: int, height: int, most: int) -> VideoCodecContext:
        self._opened_for = most
        context = _context("libx264", width, height, self._threads)
        context.bit_rate = most  # a constant rate can be lowered while it runs, but not raised above its beginning
        context.profile = "Baseline"
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "maxrate": str(most),
            "bufsize": str(round(most * _BUFFER)),
            "forced-idr": "1",
            "x264-params": "scenecut=0:sliced-threads=0",
        }
        context.open()
        return context


class Vp8Encoder:
    """libvpx in its real-time mode."""

    def __init__(self, limits: BitrateLimits, threads: int) -> None:
        self._limits = limits
        self._threads = threads
        self._context: VideoCodecContext | None = None

    def encode(self, planes: Planes, ticks: int, bits: int, *, key: bool) -> VideoPacket | None:
        context, size = self._context, _size(planes)
        if context is None or (context.width, context.height) != size or _differs(bits, context.bit_rate):
            context = self._context = self._opened(*size, min(bits, self._limits.most))
        return _encoded(context, planes, ticks, key)

    def _opened(self, width: int, height: int, bits: int) -> VideoCodecContext:
        context = _context("libvpx", width, height, self._threads)
        context.bit_rate = bits
        context.qmin, context.qmax = 2, 56
        context.options = {
            "deadline": "realtime",
            "cpu-used": "-8",
            "lag-in-frames": "0",
            "minrate": str(bits),
            "maxrate": str(bits),
            "bufsize": str(bits // 2),
            "undershoot-pct": "100",
            "overshoot-pct": "15",
            "max-intra-rate": _KEY_SHARE,
            "static-thresh": "1",
            "error-resilient": "1",
        }
        context.open()
        return context


class SoundEncoder:
    """Opus, 20 ms a packet; used by one thread."""

    def __init__(self) -> None:
        context = av.CodecContext.create("libopus", "w")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate = SOUND_RATE
        context.format = "flt"
        context.layout = "stereo"
        context.time_base = Fraction(1, SOUND_RATE)
        context.bit_rate = SOUND_BITS
        context.options = {"application": "voip", "frame_duration": "20", "fec": "1", "packet_loss": "5"}
        self._context = context

    def encode(self, samples: NDArray[np.float32], first: int) -> SoundPacket | None:
        """(2, 960) float32 in -1..1, of which `first` is the number of the first one."""
        packed = np.ascontiguousarray(samples.T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, first, Fraction(1, SOUND_RATE)
        return next(iter(self._context.encode(frame)), None)


def video_encoder(codec: Codec, limits: BitrateLimits, threads: int) -> VideoEncoder:
    """The encoder of a codec, which begins with a key frame."""
    return H264Encoder(limits, threads) if codec == "h264" else Vp8Encoder(limits, threads)


def _context(name: str, width: int, height: int, threads: int) -> VideoCodecContext:
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.framerate, context.time_base = Fraction(_FRAME_RATE), TIME_BASE
    context.gop_size, context.max_b_frames, context.thread_count = _NO_KEYS, 0, threads
    return context


def _encoded(context: VideoCodecContext, planes: Planes, ticks: int, key: bool) -> VideoPacket | None:
    # the planes are shared by all encoders, the frame around them is this one's own
    frame = av.VideoFrame.from_numpy_buffer(planes, format="yuv420p")
    frame.pts, frame.time_base = ticks, TIME_BASE
    frame.pict_type = PictureType.I if key else PictureType.NONE
    packets = list(context.encode(frame))
    if not packets:
        return None
    packet = packets[0]
    packet.pts, packet.time_base = ticks, TIME_BASE
    return packet


def _size(planes: Planes) -> tuple[int, int]:
    return planes.shape[1], planes.shape[0] * 2 // 3


def _differs(bits: int, other: int | None) -> bool:
    return other is None or not _LESS * other <= bits <= _MORE * other
