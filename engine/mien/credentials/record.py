"""Signed records of calls, which have no container that could carry credentials.

A record is a JSON web signature in its flattened JSON form (RFC 7515, 7.2.2) with the signer's certificates (`x5c`):
every JOSE library checks it, and the bytes that are signed are in it, so that no canonical form of JSON is needed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mien.credentials.chain import common_name, has_expired, trusted_by
from mien.credentials.identity import Identity, own_chain
from mien.credentials.reading import Signer

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

TYPE: Final = "mien-session+json"
"""In the signature's header: what is signed."""
LARGEST: Final = 16 << 20
"""Bytes of a record."""
_PARTS: Final = ("protected", "payload", "signature")
_ALGORITHMS: Final = ["ES256", "ES384", "ES512", "PS256", "EdDSA"]


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record that was read."""

    said: dict[str, Any]
    """What is in it; of a broken signature nothing of it counts."""
    intact: bool
    """Whether the signature fits."""
    signer: Signer


def signed(said: dict[str, Any], identity: Identity) -> dict[str, str]:
    """A record, signed."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from jwt import PyJWS

    chain = [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in identity.chain]
    token = PyJWS().encode(
        json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode(),
        identity.key,  # type: ignore[arg-type]  # of the kinds that were admitted
        algorithm=identity.algorithm,
        headers={"typ": TYPE, "x5c": chain},
    )
    return dict(zip(_PARTS, token.split("."), strict=True))


def read(path: Path, trusted: Sequence[Certificate] = ()) -> ReadRecord | None:
    """The record in a file; None where it holds none.

    Args:
        trusted: certificates of issuers.
    """
    try:
        if path.stat().st_size > LARGEST:
            return None
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not all(isinstance(found.get(part), str) for part in _PARTS):
        return None
    return _checked([found[part] for part in _PARTS], trusted)


def _checked(parts: Sequence[str], trusted: Sequence[Certificate]) -> ReadRecord | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509 import load_der_x509_certificate
    from jwt import PyJWS, PyJWTError

    try:
        header, said = (json.loads(_decoded(part)) for part in parts[:2])
        json.dumps(said, ensure_ascii=False).encode()  # half of a surrogate pair cannot be told: a ValueError
        chain = [load_der_x509_certificate(base64.b64decode(one)) for one in header["x5c"]]
        key: Any = chain[0].public_key()
        name = common_name(chain[0])
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, UnsupportedAlgorithm):
        return None
    if header.get("typ") != TYPE or not isinstance(said, dict):
        return None
    try:
        PyJWS().decode_complete(".".join(parts), key, algorithms=_ALGORITHMS)
        intact = True
    except (PyJWTError, UnsupportedAlgorithm, TypeError, ValueError):  # also of a key that does not fit the algorithm
        intact = False
    return ReadRecord(said, intact, _signer(name, chain, trusted))


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _signer(name: str, chain: Sequence[Certificate], trusted: Sequence[Certificate]) -> Signer:
    own = own_chain()
    trusts = trusted_by(chain, [*trusted, *own[-1:]])
    return Signer(name, trusts, trusts and bool(own) and chain[0] == own[0], has_expired(chain[0]))
