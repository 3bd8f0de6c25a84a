"""What the invisible mark says: 64 bits."""

from __future__ import annotations

import binascii
import secrets
from dataclasses import dataclass
from typing import Final

VERSION: Final = 1
_SESSION_BITS: Final = 44
_CHECK_BITS: Final = 16


@dataclass(frozen=True, slots=True)
class Payload:
    """A version of the mark and a run of mien; nothing of a person."""

    session: int
    """44 bits, drawn at random for each run."""
    version: int = VERSION
    """4 bits."""

    @property
    def bits(self) -> int:
        """64 bits: version, session, and their CRC of 16 bits."""
        said = self.version << _SESSION_BITS | self.session
        return said << _CHECK_BITS | _check(said)

    @property
    def name(self) -> str:
        """The session in 11 hexadecimal digits."""
        return f"{self.session:011x}"


def drawn() -> Payload:
    """A payload with a session at random."""
    return Payload(secrets.randbits(_SESSION_BITS))


def drawn_if(wanted: bool) -> Payload | None:
    """The same, if a mark is wanted."""
    return drawn() if wanted else None


def read(bits: int) -> Payload | None:
    """What 64 bits say; None where their check is wrong, or the version is unknown."""
    said = bits >> _CHECK_BITS
    if bits & (1 << _CHECK_BITS) - 1 != _check(said):
        return None
    payload = Payload(said & (1 << _SESSION_BITS) - 1, said >> _SESSION_BITS)
    return payload if payload.version == VERSION else None


def _check(said: int) -> int:
    return binascii.crc_hqx(said.to_bytes(6, "big"), 0xFFFF)
