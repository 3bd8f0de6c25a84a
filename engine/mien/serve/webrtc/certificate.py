"""Peers with RSA certificates, such as GStreamer's webrtcbin.

aiortc offers cipher suites for ECDSA certificates only, so that a handshake with an RSA one fails. It has no setting
for that: the suites are added where it makes its context. Certificates of peers are checked by their fingerprints as
ever.
"""

from __future__ import annotations

from aiortc import RTCCertificate, RTCPeerConnection
from aiortc.rtcdtlstransport import SRTPProtectionProfile
from OpenSSL import SSL

SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
)


class Certificate(RTCCertificate):
    """Our own is an ECDSA one, as aiortc's."""

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(":".join(SUITES).encode())
        return context


def certify(connection: RTCPeerConnection) -> None:
    """Give a connection that has not begun a certificate that takes RSA ones."""
    name = "_RTCPeerConnection__certificates"
    if not isinstance(getattr(connection, name, None), list):
        raise RuntimeError("aiortc: expected a connection with a list of certificates; this version has none")
    setattr(connection, name, [Certificate.generateCertificate()])
