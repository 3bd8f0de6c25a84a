"""Peers with RSA certificates."""

from __future__ import annotations

import datetime
from typing import cast

from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import SRTP_PROFILES
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL
from tests.engine.serve.webrtc.calls import calling, run, until
from tests.engine.serve.webrtc.client import Client, Pictures

from mien.serve.webrtc.inside import SUITES, Certificate
from mien.serve.webrtc.peer import Peer


def rsa_certificate() -> RTCCertificate:
    key = rsa.generate_private_key(65_537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a peer with RSA")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return Certificate(cast(ec.EllipticCurvePrivateKey, key), made)


def ciphers_of(certificate: RTCCertificate) -> list[str]:
    return SSL.Connection(certificate._create_ssl_context(SRTP_PROFILES)).get_cipher_list()


def test_a_peer_with_an_rsa_certificate_is_understood() -> None:
    async def main() -> None:
        client = Client(video=Pictures(25))
        transport = client.connection.getTransceivers()[0].receiver.transport
        transport._RTCDtlsTransport__local_certificate = rsa_certificate()  # type: ignore[attr-defined]
        async with calling(client) as call:
            await until(lambda: call.echo.count > 2)

    run(main)


def test_a_certificate_that_is_not_the_offered_one_is_refused() -> None:
    async def main() -> None:
        client = Client(video=Pictures(25))
        lines = (await client.offer()).splitlines(keepends=True)
        turned = [line[:-4] + "00\r\n" if line.startswith("a=fingerprint") else line for line in lines]
        peer = await Peer.answer("".join(turned))
        await client.accept(peer.answer_sdp)
        assert "certificate" in await peer.wait_closed()
        assert peer.statistics()["frames_in"] == 0
        await client.close()

    run(main)


def test_aiortc_still_needs_the_suites_to_be_added() -> None:
    """Where this fails, aiortc has learnt it: delete `certificate.py`."""
    assert not [name for name in ciphers_of(RTCCertificate.generateCertificate()) if "ECDHE-RSA" in name]


def test_the_suites_are_known_to_openssl() -> None:
    assert set(SUITES) <= set(ciphers_of(Certificate.generateCertificate()))
