"""FFmpeg's WHIP muxer publishes: it answers no consent checks, asks for no retransmission, and knows no PLI."""

from __future__ import annotations

import asyncio
import datetime
import sys
from pathlib import Path

import av
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.engine.serve.webrtc import ffmpeg_publisher
from tests.engine.serve.webrtc.calls import PATIENCE
from tests.engine.serve.webrtc.mirror import Mirror, mirror

ROOT = Path(__file__).parents[4]

pytestmark = pytest.mark.skipif("whip" not in av.formats_available, reason="this libav has no WHIP muxer")


@pytest.fixture
def certificate(tmp_path: Path) -> list[str]:
    """Options for a P-256 certificate: FFmpeg's own P-224 one is none for OpenSSL 4."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "publisher")])
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
    (tmp_path / "c.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.TraditionalOpenSSL
    (tmp_path / "k.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return [f"cert_file={tmp_path / 'c.pem'}", f"key_file={tmp_path / 'k.pem'}"]


async def published(made: Mirror, seconds: float, *options: str) -> int:
    """Pictures that were sent."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / ffmpeg_publisher.__name__.replace(".", "/")) + ".py",
        f"{made.url}/whip",
        str(seconds),
        *options,
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
    )
    told, _ = await asyncio.wait_for(process.communicate(), seconds + PATIENCE)
    assert process.returncode == 0
    return int(told)


@pytest.mark.parametrize(
    ("flags", "seconds"),
    [("0", 5.0), ("dtls_active", 5.0), pytest.param("0", 60.0, marks=pytest.mark.long)],
)
def test_it_publishes_without_a_break(certificate: list[str], seconds: float, flags: str) -> None:
    async def main() -> None:
        async with mirror() as made:
            sent = await published(made, seconds, *certificate, f"whip_flags={flags}")
            ((peer, echo),) = made.publishers
            assert await asyncio.wait_for(peer.wait_closed(), PATIENCE) == "it said goodbye"
            told = peer.statistics()
            assert told["codec"] == "h264"
            assert told["frames_in"] >= sent - 5
            assert told["frames_broken"] == 0
            assert echo.sounds > 40 * seconds
            assert made.requests == ["POST /whip", "DELETE /whip"]

    asyncio.run(main())
