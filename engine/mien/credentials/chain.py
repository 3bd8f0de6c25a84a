"""Whether a chain of certificates leads to an issuer that is trusted (RFC 5280, section 6, without names and policies).

The verifier of `cryptography` is made for servers and clients of TLS: it asks for uses and names that certificates for
signing do not have.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def common_name(certificate: Certificate) -> str:
    """Of whom it is; "?" where it does not say.

    Raises:
        ValueError: its subject cannot be read.
    """
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else "?"


def has_expired(certificate: Certificate) -> bool:
    """Whether it is not valid any more."""
    return certificate.not_valid_after_utc < datetime.datetime.now(datetime.UTC)


def trusted_by(chain: Sequence[Certificate], trusted: Sequence[Certificate]) -> bool:
    """Whether each certificate was issued by the next one, and one of them by one that is trusted; all are valid now.

    Args:
        chain: the signer's first.
        trusted: certificates of issuers.
    """
    now = datetime.datetime.now(datetime.UTC)
    for place, one in enumerate(chain):
        if not _valid(one, now):
            return False
        if any(_issued(one, issuer, place) and _valid(issuer, now) for issuer in trusted):
            return True
        if place + 1 == len(chain) or not _issued(one, chain[place + 1], place):
            return False
    return False


def _valid(certificate: Certificate, now: datetime.datetime) -> bool:
    try:
        return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    except ValueError:
        return False


def _issued(certificate: Certificate, issuer: Certificate, between: int) -> bool:
    """Whether `issuer` signed it and is an authority, with as many authorities `between` it and the signer."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return _is_authority(issuer, between)


def _is_authority(certificate: Certificate, between: int) -> bool:
    from cryptography.x509 import BasicConstraints, DuplicateExtension, KeyUsage, UnsupportedGeneralNameType

    authority = False
    try:
        for one in certificate.extensions:
            if isinstance(one.value, BasicConstraints):
                length = one.value.path_length
                authority = one.value.ca and (length is None or between <= length)
            elif isinstance(one.value, KeyUsage):
                if not one.value.key_cert_sign:
                    return False
            elif one.critical:  # what is not checked here may forbid it (RFC 5280, 4.2)
                return False
    except (ValueError, DuplicateExtension, UnsupportedGeneralNameType):
        return False
    return authority
