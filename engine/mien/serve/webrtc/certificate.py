"""Peers with RSA certificates, such as GStreamer's webrtcbin, and with the fingerprints of several.

aiortc offers cipher suites for ECDSA certificates only, so that a handshake with an RSA one fails. It has no setting
for that: the suites are added where it makes its context. Certificates of peers are checked by their fingerprints as
ever.
"""

from __future__ import annotations

from aiortc import RTCCertificate, RTCDtlsParameters, RTCDtlsTransport, RTCPeerConnection
from aiortc.rtcdtlstransport import SRTPProtectionProfile, certificate_digest
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
