"""Signed records: which issuers count, and what hostile records are told as."""

from __future__ import annotations

import base64
import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from mien.cli import main
from mien.credentials.identity import Identity
from mien.credentials.record import TYPE, read, signed

Key = ec.EllipticCurvePrivateKey
DAY = datetime.timedelta(days=1)


def certificate(
    name: str,
    key: Key,
    issuer: tuple[str, Key],
    *,
    ca: bool = False,
    length: int | None = None,
    until: datetime.timedelta = DAY,
    more: x509.ExtensionType | None = None,
) -> x509.Certificate:
    """`more`: a further extension, critical."""
    now = datetime.datetime.now(datetime.UTC)
    subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer[0]))
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(by).public_key(key.public_key())
    built = (
        built.serial_number(x509.random_serial_number()).not_valid_before(now - 2 * DAY).not_valid_after(now + until)
    )
    built = built.add_extension(x509.BasicConstraints(ca, length), critical=True)
    built = built if more is None else built.add_extension(more, critical=True)
    return built.sign(issuer[1], hashes.SHA256())


def written(path: Path, said: Any, key: Key, *chain: x509.Certificate) -> Path:
    path.write_text(json.dumps(signed(said, Identity(key, chain, own=False))))
    return path


ROOT, MIDDLE, LEAF = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
SAID = {"session": "1"}
NAMES = x509.NameConstraints([x509.DNSName("example.org")], None)


@pytest.mark.parametrize(
    ("root", "middle", "leaf", "trusts"),
    [
        ({"ca": True}, {"ca": True}, {}, True),
        ({"ca": True}, {"ca": False}, {}, False),  # a member of the company issues one for its head
        ({"ca": True, "length": 0}, {"ca": True}, {}, False),
        ({"ca": True}, {"ca": True, "length": 0}, {}, True),
        ({"ca": True, "until": -DAY}, {"ca": True}, {}, False),
        ({"ca": True}, {"ca": True, "until": -DAY}, {}, False),
        ({"ca": True}, {"ca": True}, {"until": -DAY}, False),
        ({"ca": True}, {"ca": True, "more": NAMES}, {}, False),
    ],
)
def test_only_authorities_that_are_valid_vouch_for_a_signer(
    tmp_path: Path, root: dict[str, Any], middle: dict[str, Any], leaf: dict[str, Any], trusts: bool
) -> None:
    anchor = certificate("root", ROOT, ("root", ROOT), **root)
    chain = (
        certificate("leaf", LEAF, ("middle", MIDDLE), **leaf),
        certificate("middle", MIDDLE, ("root", ROOT), **middle),
    )
    found = read(written(tmp_path / "record.json", SAID, LEAF, *chain), [anchor])
    assert found is not None
    assert (found.intact, found.signer.name, found.signer.trusted) == (True, "leaf", trusts)
    assert found.signer.expired == ("until" in leaf)


def test_a_signer_whose_certificate_the_reader_trusts_is_no_issuer(tmp_path: Path) -> None:
    anchor = certificate("leaf", LEAF, ("root", ROOT))
    other = certificate("head", MIDDLE, ("leaf", LEAF))
    found = read(written(tmp_path / "record.json", SAID, MIDDLE, other), [anchor])
    assert found is not None
    assert not found.signer.trusted


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_an_algorithm_that_does_not_fit_the_key_is_no_signature(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    der = certificate("leaf", key, ("leaf", key)).public_bytes(Encoding.DER)
    header = {"typ": TYPE, "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
    path = tmp_path / "record.json"
    path.write_text(json.dumps({"protected": encoded(header), "payload": encoded(SAID), "signature": "AAAA"}))
    found = read(path)
    assert found is not None
    assert not found.intact
    assert main(["verify", str(path)]) == 1


def test_a_key_of_an_unknown_kind_makes_no_record(tmp_path: Path) -> None:
    der = certificate("leaf", LEAF, ("leaf", LEAF)).public_bytes(Encoding.DER)
    curve = bytes.fromhex("06082a8648ce3d030107")  # prime256v1
    assert curve in der
    header = {"typ": TYPE, "alg": "ES256", "x5c": [base64.b64encode(der.replace(curve, curve[:-1] + b"x")).decode()]}
    path = tmp_path / "record.json"
    path.write_text(json.dumps({"protected": encoded(header), "payload": encoded(SAID), "signature": "AAAA"}))
    assert read(path) is None


def test_half_of_a_surrogate_pair_makes_no_record(tmp_path: Path) -> None:
    key, leaf = LEAF, certificate("leaf", LEAF, ("leaf", LEAF))
    path = written(tmp_path / "record.json", SAID, key, leaf)
    record = json.loads(path.read_text()) | {"payload": encoded({"session": "\ud800"})}
    path.write_text(json.dumps(record))
    assert read(path) is None
