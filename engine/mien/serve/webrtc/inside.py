"""Every use of private parts of aiortc and aioice: listed and checked here, and nowhere else.

aiortc has no settings for what is needed here: other certificates, a jitter buffer and requests for lost packets of
one's own, what receivers report, smaller packets, extensions of their headers, chosen UDP ports. `TOUCHED` names every
such attribute, and `check` refuses a version that has one no more before the first connection is made.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Awaitable, Callable
from inspect import isfunction
from types import ModuleType
from typing import Any, Final, Protocol

import aiortc
from aioice.candidate import Candidate
from aioice.ice import CandidatePair, Connection, StunProtocol
from aiortc import (
    RTCCertificate,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceTransport,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
    codecs,
)
from aiortc.codecs import h264, vpx
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtcdtlstransport import SRTPProtectionProfile, certificate_digest
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters
from aiortc.rtp import RTP_HISTORY_SIZE, AnyRtcpPacket, HeaderExtensionsMap, RtcpReceiverInfo
from OpenSSL import SSL

from mien.errors import BackendError

VERSION: Final = "1.16"
"""Of aiortc, with which all of this was tried."""
TOUCHED: Final[tuple[tuple[type | ModuleType, tuple[str, ...]], ...]] = (
    (RTCPeerConnection, ("_RTCPeerConnection__certificates",)),
    (RTCCertificate, ("_create_ssl_context",)),
    (RTCDtlsTransport, ("_validate_peer_identity", "_ssl", "_send_rtp")),
    (RTCIceTransport, ("_connection",)),
    (
        RTCRtpReceiver,
        (
            "_RTCRtpReceiver__jitter_buffer",
            "_RTCRtpReceiver__nack_generator",
            "_RTCRtpReceiver__remote_bitrate_estimator",
            "_handle_rtcp_packet",
            "_data",  # which it writes into packets
        ),
    ),
    (
        RTCRtpSender,
        (
            "_RTCRtpSender__lsr",
            "_RTCRtpSender__lsr_time",
            "_RTCRtpSender__rtp_header_extensions_map",
            "_RTCRtpSender__rtp_history",
            "_handle_rtcp_packet",
            "_ssrc",
        ),
    ),
    (RTCRtpTransceiver, ("_bundled", "_codecs")),
    (Connection, ("get_component_candidates", "query_consent", "build_request", "_protocols", "_nominated")),
    (StunProtocol, ("request", "local_candidate")),
    (codecs, ("HEADER_EXTENSIONS",)),
    (h264, ("PACKET_MAX",)),
    (vpx, ("PACKET_MAX",)),
)
LARGEST_PAYLOAD: Final = 1180
"""Bytes of an RTP payload: 1,280, which every way takes, tunnels and all, less the headers of IPv6, UDP, RTP with its
extensions, and SRTP. aiortc's packets are up to 1,386 bytes with all headers."""
SUITES: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
)
"""Of ciphers: aiortc offers those for ECDSA certificates only, so that a handshake with an RSA one, such as of
GStreamer's webrtcbin, fails."""

Handler = Callable[[AnyRtcpPacket], Awaitable[None]]


@functools.cache
def check() -> None:
    """Look whether all that is touched is there; once a process.

    Raises:
        BackendError: this version of aiortc or aioice lacks a part.
    """
    for owner, names in TOUCHED:
        for name in names:
            if not _has(owner, name):
                raise BackendError(
                    f"aiortc {aiortc.__version__}: expected {owner.__name__} with {name}, as {VERSION} has, got none; "
                    f"pip install 'aiortc>={VERSION},<1.17'"
                )


def _has(owner: type | ModuleType, name: str) -> bool:
    """Whether an attribute is there, or is mentioned in a class's methods, which make it on objects only."""
    methods = (method for method in vars(owner).values() if isfunction(method))
    return hasattr(owner, name) or any(name in method.__code__.co_names for method in methods)


# Connections: certificates, fingerprints, the size of packets


class Certificate(RTCCertificate):
    """An ECDSA one of our own, as aiortc's, that takes peers with RSA ones.

    Certificates of peers are checked by their fingerprints as ever.
    """

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(":".join(SUITES).encode())
        return context


def certify(connection: RTCPeerConnection) -> None:
    """Give a connection that has not begun a certificate that takes RSA ones."""
    ours = [Certificate.generateCertificate()]
    setattr(connection, "_RTCPeerConnection__certificates", ours)  # noqa: B010 - a class's private name


def accept_any(transport: RTCDtlsTransport) -> None:
    """Let a certificate be one of those whose fingerprints are offered, as RFC 8122 asks; aiortc wants it to be all.

    Fingerprints must be of digests that aiortc knows, see `offer`.
    """
    validate = transport._validate_peer_identity

    def validated(remoteParameters: RTCDtlsParameters) -> None:
        assert transport._ssl is not None
        certificate = transport._ssl.get_peer_certificate(as_cryptography=True)
        offered = remoteParameters.fingerprints
        fitting = [
            one
            for one in offered
            if certificate is not None and one.value == certificate_digest(certificate, one.algorithm)
        ]
        validate(RTCDtlsParameters(fingerprints=fitting[:1] or offered, role=remoteParameters.role))

    transport._validate_peer_identity = validated  # type: ignore[method-assign]


def keep_packets_small() -> None:
    """Let payloads of all of this process be of `LARGEST_PAYLOAD` at most; more than once is allowed."""
    for module in (h264, vpx):
        setattr(module, "PACKET_MAX", LARGEST_PAYLOAD)  # noqa: B010 - which mypy does not see in both


def add_header_extension(kind: str, uri: str) -> None:
    """Let all of this process's connections agree upon an extension of RTP headers; more than once is allowed."""
    known = codecs.HEADER_EXTENSIONS[kind]
    if all(one.uri != uri for one in known):
        known.append(RTCRtpHeaderExtensionParameters(id=max(one.id for one in known) + 1, uri=uri))


def is_bundled(transceiver: RTCRtpTransceiver) -> bool:
    """Whether it shares another one's transport."""
    return bool(transceiver._bundled)


def agreed_codecs(transceiver: RTCRtpTransceiver) -> list[RTCRtpCodecParameters]:
    """What both sides take, in order of preference."""
    return transceiver._codecs


# Receivers and senders


class MissingPackets(Protocol):
    """What a receiver asks again for, in place of aiortc's `NackGenerator`."""

    missing: list[int]


def take_packets(
    receiver: RTCRtpReceiver,
    buffer: JitterBuffer,
    missing: MissingPackets | None = None,
    estimator: object | None = None,
) -> None:
    """Let a receiver that has not begun put its packets into `buffer`, in place of aiortc's own.

    Args:
        missing, estimator: in place of aiortc's own, too; None leaves those.
    """
    ours = {"jitter_buffer": buffer, "nack_generator": missing, "remote_bitrate_estimator": estimator}
    for part, one in ours.items():
        if one is not None:
            setattr(receiver, f"_RTCRtpReceiver__{part}", one)


def depayloaded(packet: object) -> bytes:
    """What aiortc's receiver took out of an RTP payload."""
    data: bytes = getattr(packet, "_data", b"")
    return data


def listen_to_rtcp(end: RTCRtpReceiver | RTCRtpSender, heard: Callable[[AnyRtcpPacket], None]) -> None:
    """Call `heard` on the event loop with every RTCP packet that comes for this end, before aiortc sees it."""
    handle: Handler = end._handle_rtcp_packet

    async def handled(packet: AnyRtcpPacket) -> None:
        heard(packet)
        await handle(packet)

    end._handle_rtcp_packet = handled  # type: ignore[method-assign]


def ssrc_of(sender: RTCRtpSender) -> int:
    """The number of the stream that it sends."""
    return sender._ssrc


_ROUNDED = 0.005
"""Seconds that a round trip may seem to take less than none."""
_LONGEST_TRIP = 30.0
"""Seconds; a peer that needed longer would have been given up."""


def round_trip(sender: RTCRtpSender, report: RtcpReceiverInfo) -> float | None:
    """Seconds, of one report: aiortc's own is a mean of many, which tells of a queue when it has stood for long.

    aiortc notes the system's time, which may be set meanwhile: what cannot be is None, not the shortest or longest one.
    """
    sent, at = getattr(sender, "_RTCRtpSender__lsr", None), getattr(sender, "_RTCRtpSender__lsr_time", None)
    if at is None or sent != report.lsr or not report.dlsr:
        return None
    trip = time.time() - float(at) - report.dlsr / 65536
    return max(trip, 0.0) if -_ROUNDED < trip < _LONGEST_TRIP else None


def are_gone(sender: RTCRtpSender, numbers: list[int]) -> bool:
    """Whether packets are asked for again that aiortc holds no more: only a key frame helps then."""
    held = getattr(sender, "_RTCRtpSender__rtp_history", {})
    kept = (held.get(number % RTP_HISTORY_SIZE) for number in numbers)
    return any(packet is None or packet.sequence_number != number for packet, number in zip(kept, numbers, strict=True))


def write_header_extensions(sender: RTCRtpSender, extensions: HeaderExtensionsMap) -> None:
    """Let a sender that has not begun write the headers' extensions by this."""
    setattr(sender, "_RTCRtpSender__rtp_header_extensions_map", extensions)  # noqa: B010 - a class's private name


class SendingThrough:
    """A sender's transport that is aiortc's but for how RTP is sent, which `send` overrides."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    async def _send_rtp(self, data: bytes) -> None:
        await self.send(data)

    async def send(self, data: bytes) -> None:
        """Send a packet of RTP or RTCP."""
        await self._transport._send_rtp(data)


# ICE


def gather_by(
    transport: RTCIceTransport,
    gathered: Callable[[Connection, int, list[str]], Awaitable[list[Candidate]]],
    keep_open: Callable[[Connection], Awaitable[None]],
) -> None:
    """Let a transport that has not gathered do so by `gathered` (component, addresses), and then run `keep_open`.

    `keep_open` takes the place of consent checks, whose silence would end the connection.
    """
    connection = transport._connection

    async def gather(component: int, addresses: list[str], timeout: int = 5) -> list[Candidate]:  # noqa: ASYNC109 - it overrides
        return await gathered(connection, component, addresses)

    async def query_consent() -> None:
        await keep_open(connection)

    connection.get_component_candidates = gather  # type: ignore[method-assign]
    connection.query_consent = query_consent  # type: ignore[method-assign]


def add_protocols(connection: Connection, bound: list[StunProtocol]) -> None:
    """Let a connection use sockets that were bound for it."""
    connection._protocols += bound


def nominated(connection: Connection) -> list[CandidatePair]:
    """The pairs of addresses that media take, one a component."""
    return list(connection._nominated.values())
