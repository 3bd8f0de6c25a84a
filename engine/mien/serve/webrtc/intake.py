"""Receiving of RTP packets in place of aiortc's jitter buffer and decoder.

aiortc gives a frame only when the next one begins, waits for a lost packet until 512 others have come, and passes
frames through two queues without bounds. Here a frame is given with its last packet, a lost one is waited for as long
as a retransmission takes, and what waits is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiortc import RTCRtpReceiver
from aiortc.clock import datetime_from_ntp
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket, RtpPacket

from mien.clock import Clock
from mien.serve.webrtc.arrivals import Arrivals
from mien.serve.webrtc.decoding import Encoded, MediaDecoder
from mien.serve.webrtc.inside import depayloaded, listen_to_rtcp, take_packets
from mien.serve.webrtc.jitter_buffer import Assembly, Nacks, Packet, Whole, begins_frame, is_key
from mien.serve.webrtc.settings import Codec
from mien.serve.webrtc.timeline import PeerTimeline, SenderReport

SOUND_PATIENCE = 0.03
"""Seconds to wait for a packet of sound that others have overtaken; a lost one does not come again."""
ASK_AGAIN = 0.4
"""Seconds between two requests for a key frame."""


class Intake(JitterBuffer):
    """Base of both kinds; used on the event loop."""

    def __init__(self, heard: Callable[[float], None], clock: Clock) -> None:
        super().__init__(capacity=1)
        self._heard, self._clock = heard, clock
        self._ssrc: int | None = None
        self.packets = self.bytes = 0
        self._lost = 0

    def now(self) -> float:
        """Seconds of the clock by which packets come."""
        return self._clock.now()

    @property
    def lost(self) -> int:
        """Frames, or rows of frames, that never came whole."""
        return self._lost + self._assembly.lost

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet; whether to ask for a key frame. aiortc itself gets no frame."""
        now = self.now()
        self._heard(now)
        self.packets += 1
        self.bytes += len(packet.payload)
        if packet.ssrc != self._ssrc:
            self._ssrc = packet.ssrc
            self._lost += self._assembly.lost
            self._assembly = self._begun()
        needs_key = False
        for whole in self._assembly.add(packet, now):
            needs_key |= self._take(whole, now)
        return needs_key or self._asks_again(now), None

    _assembly: Assembly

    def _begun(self) -> Assembly:
        raise NotImplementedError

    def _take(self, whole: Whole, now: float) -> bool:
        raise NotImplementedError

    def _asks_again(self, now: float) -> bool:
        return False


class PictureIntake(Intake):
    """Packets of video -> encoded pictures for the decoder."""

    def __init__(
        self,
        codecs: Mapping[int, Codec],
        decoding: MediaDecoder,
        timeline: PeerTimeline,
        heard: Callable[[float], None],
        clock: Clock,
    ) -> None:
        """`codecs`: by payload type."""
        super().__init__(heard, clock)
        self._codecs, self._decoding, self._timeline = codecs, decoding, timeline
        self.nacks = Nacks(clock)
        self._assembly = self._begun()
        self._needs_key = True
        self._asked_at = float("-inf")
        self.codec: Codec | None = None

    def report(self, report: SenderReport) -> None:
        """Take note of a sender's report."""
        self._timeline.report_video(report)

    def _begun(self) -> Assembly:
        return Assembly(lambda: self.nacks.patience, self._begins)

    def _begins(self, packet: Packet) -> bool:
        codec = self._codecs.get(packet.payload_type)
        return codec is not None and begins_frame(codec, packet.payload)

    def _take(self, whole: Whole, now: float) -> bool:
        codec = self._codecs.get(whole.packets[0].payload_type)
        data = b"".join(depayloaded(packet) for packet in whole.packets)
        if codec is None or not data:
            return False
        self.codec = codec
        key = is_key(codec, data)
        self._needs_key = not key and (self._needs_key or whole.after_loss)
        pts = self._timeline.video(whole.packets[0].timestamp, now)
        self._decoding.start()
        if not self._decoding.waiting.put(Encoded(codec, data, pts, now, key)):
            self._needs_key = True
        return False

    def _asks_again(self, now: float) -> bool:
        if self._decoding.needs_key or self.nacks.jumped:
            self._decoding.needs_key = self.nacks.jumped = False
            self._needs_key = True
        if not self._needs_key or now - self._asked_at < ASK_AGAIN:
            return False
        self._asked_at = now
        return True


class SoundIntake(Intake):
    """Packets of Opus -> encoded sound for the decoder."""

    def __init__(
        self, decoding: MediaDecoder, timeline: PeerTimeline, heard: Callable[[float], None], clock: Clock
    ) -> None:
        super().__init__(heard, clock)
        self._decoding, self._timeline = decoding, timeline
        self._assembly = self._begun()

    def report(self, report: SenderReport) -> None:
        """Take note of a sender's report."""
        self._timeline.report_sound(report)

    def _begun(self) -> Assembly:
        return Assembly(lambda: SOUND_PATIENCE, lambda packet: True, single=True)

    def _take(self, whole: Whole, now: float) -> bool:
        (packet,) = whole.packets
        pts = self._timeline.sound(packet.timestamp, now)
        data = depayloaded(packet)
        if pts is not None and data:
            self._decoding.waiting.put(Encoded(None, data, pts, now, after_loss=whole.after_loss))
        return False


def install(receiver: RTCRtpReceiver, intake: PictureIntake | SoundIntake, heard: Callable[[float], None]) -> None:
    """Let a receiver that has not begun hand its packets to `intake`, and tell it of sender reports."""
    if isinstance(intake, PictureIntake):
        take_packets(receiver, intake, intake.nacks, Arrivals())
    else:
        take_packets(receiver, intake)

    def told(packet: AnyRtcpPacket) -> None:
        heard(intake.now())
        if isinstance(packet, RtcpSrPacket):
            intake.report(_report(packet))

    listen_to_rtcp(receiver, told)


def _report(packet: RtcpSrPacket) -> SenderReport:
    info = packet.sender_info
    return SenderReport(datetime_from_ntp(info.ntp_timestamp).timestamp(), info.rtp_timestamp)
