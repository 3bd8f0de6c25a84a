"""Joins aiortc's transceivers with our receivers and tracks."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

from aiortc import (
    RTCConfiguration,
    RTCDtlsTransport,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.codecs import get_capabilities
from aiortc.rtcrtpparameters import RTCRtpCodecCapability
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.stats import RTCInboundRtpStreamStats, RTCTransportStats

from mien.clock import Clock
from mien.serve.webrtc.bitrate import listen
from mien.serve.webrtc.broadcast import Broadcast
from mien.serve.webrtc.ice import prepare
from mien.serve.webrtc.inside import accept_any, agreed_codecs, certify, check, is_bundled, keep_packets_small
from mien.serve.webrtc.intake import PictureIntake, SoundIntake, install
from mien.serve.webrtc.offer import Direction, Offer
from mien.serve.webrtc.sending import PictureTrack, SoundTrack, know_playout_delay, pace, tell_playout_delay
from mien.serve.webrtc.settings import Codec, PeerSettings
from mien.serve.webrtc.source import PeerSource
from mien.serve.webrtc.timeline import PeerTimeline

logger = logging.getLogger(__name__)

_NAMES: dict[str, Codec] = {"H264": "h264", "VP8": "vp8"}


class Wiring:
    """Made on the loop; `answer` joins the parts, `end` parts them before the connection is closed."""

    def __init__(
        self,
        offer: Offer,
        settings: PeerSettings,
        *,
        source: PeerSource,
        receives: bool,
        sends: Broadcast | None,
        alive: Callable[[float], None],
        clock: Clock,
    ) -> None:
        """See `Peer.answer`; `alive` is told when something authentic came from the peer, in seconds."""
        self.connection = RTCPeerConnection(_configuration(settings))
        self.pictures: PictureIntake | None = None
        self.sounds: SoundIntake | None = None
        self.picture_track: PictureTrack | None = None
        self.sound_track: SoundTrack | None = None
        self.packets_lost = 0
        """That were sent to us and did not come, as last measured."""
        self._offer, self._settings, self._source = offer, settings, source
        self._receives, self._sends, self._alive, self._clock = receives, sends, alive, clock
        self._timeline = PeerTimeline()
        self._transports: list[RTCDtlsTransport] = []

    async def answer(self) -> str:
        """The answer, with all candidates.

        Raises:
            Whatever aiortc does at an offer that it cannot meet.
        """
        check()
        keep_packets_small()
        know_playout_delay()
        certify(self.connection)
        for kind, wanted in (("video", self._offer.video), ("audio", self._offer.audio)):
            if wanted is not None:
                transceiver = self.connection.addTransceiver(kind, direction=self._direction(wanted))
                transceiver.setCodecPreferences(_preferred(kind, self._settings.codecs))
                self._transports.append(transceiver.receiver.transport)
        await self.connection.setRemoteDescription(RTCSessionDescription(self._offer.sdp, "offer"))
        transceivers = self.connection.getTransceivers()
        for transceiver in transceivers:
            self._join(transceiver)
        for transport in {transceiver.receiver.transport for transceiver in transceivers}:
            accept_any(transport)
            prepare(transport.transport, self._settings.ports, self._met)
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return self.connection.localDescription.sdp

    async def close(self) -> None:
        """Say goodbye and give all back, also where aiortc has got into a muddle over an offer."""
        try:
            await self.connection.close()
        except Exception as error:
            logger.warning("a connection did not close (%r); its transports are stopped one by one", error)
            for transport in self._transports:
                with contextlib.suppress(Exception):
                    await transport.stop()
                with contextlib.suppress(Exception):
                    await transport.transport.stop()

    def end(self) -> None:
        """Stop encoding; ending twice is allowed."""
        for track in (self.picture_track, self.sound_track):
            if track is not None:
                track.stop()

    @property
    def carriers(self) -> list[str]:
        """The media that have a transport, by mid; others are bundled with the first of them."""
        return [one.mid for one in self.connection.getTransceivers() if one.mid is not None and not is_bundled(one)]

    @property
    def is_refused(self) -> bool:
        """Whether a DTLS handshake failed."""
        return any(one.receiver.transport.state == "failed" for one in self.connection.getTransceivers())

    async def measure(self) -> int:
        """Take note of what was measured on the way; how many datagrams came so far."""
        datagrams = lost = 0
        for found in (await self.connection.getStats()).values():
            if isinstance(found, RTCTransportStats):
                datagrams = max(datagrams, found.packetsReceived)
            elif isinstance(found, RTCInboundRtpStreamStats):
                lost += max(found.packetsLost, 0)
        self.packets_lost = lost
        return datagrams

    def _direction(self, wanted: Direction) -> Direction:
        takes = self._receives and wanted in ("sendrecv", "sendonly")
        gives = self._sends is not None and wanted in ("sendrecv", "recvonly")
        if takes and gives:
            return "sendrecv"
        return "recvonly" if takes else "sendonly" if gives else "inactive"

    def _join(self, transceiver: RTCRtpTransceiver) -> None:
        takes = transceiver.direction in ("sendrecv", "recvonly")
        gives = transceiver.direction in ("sendrecv", "sendonly")
        if takes:
            self._take(transceiver.kind, transceiver.receiver, _codecs(transceiver))
        if gives:
            self._give(transceiver)
        else:
            listen(transceiver.sender, None, self._heard)

    def _take(self, kind: str, receiver: RTCRtpReceiver, codecs: dict[int, Codec]) -> None:
        decoding, clock = self._source.decoding, self._clock
        intake: PictureIntake | SoundIntake
        if kind == "video":
            intake = self.pictures = PictureIntake(codecs, decoding, self._timeline, self._alive, clock)
        else:
            intake = self.sounds = SoundIntake(decoding, self._timeline, self._alive, clock)
        install(receiver, intake, self._alive)

    def _give(self, transceiver: RTCRtpTransceiver) -> None:
        assert self._sends is not None
        sender = transceiver.sender
        if transceiver.kind == "video":
            codec = next(iter(_codecs(transceiver).values()))
            self.picture_track = PictureTrack(self._sends, codec, self._settings, self._clock)
            sender.replaceTrack(self.picture_track)
            control = self.picture_track.control
            pace(sender, lambda: control.target, self._clock)
            tell_playout_delay(sender)
        else:
            self.sound_track = SoundTrack(self._sends.sound, self._clock)
            sender.replaceTrack(self.sound_track)
        listen(sender, self.picture_track if transceiver.kind == "video" else None, self._heard)

    def _met(self, seconds: float) -> None:
        if self.picture_track is not None:
            self.picture_track.control.met(seconds, self._clock.now())

    def _heard(self) -> None:
        self._alive(self._clock.now())


def _configuration(settings: PeerSettings) -> RTCConfiguration:
    servers = [
        RTCIceServer(urls=server.url, username=server.username, credential=server.credential)
        for server in settings.ice_servers
    ]
    return RTCConfiguration(iceServers=servers)  # an empty list, too: without one aiortc asks a server of its own


def _preferred(kind: str, codecs: tuple[Codec, ...]) -> list[RTCRtpCodecCapability]:
    """What of aiortc's abilities is used, the dearest first."""
    offered = get_capabilities(kind).codecs
    names = [name.upper() for name in codecs] if kind == "video" else ["OPUS"]
    wanted = [found for name in names for found in offered if found.name.upper() == name]
    return wanted + [found for found in offered if found.name.upper() == "RTX"]


def _codecs(transceiver: RTCRtpTransceiver) -> dict[int, Codec]:
    """What was agreed upon, by payload type, the dearest first; of video."""
    named = ((found.payloadType, _NAMES.get(found.name)) for found in agreed_codecs(transceiver))
    return {number: codec for number, codec in named if number is not None and codec is not None}
