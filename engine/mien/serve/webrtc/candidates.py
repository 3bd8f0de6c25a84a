"""ICE candidates of peers: which are usable, and those that are trickled (RFC 8840)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mien.errors import MienError


class OfferError(MienError):
    """An offer, or a part of one, that cannot be met; `status` is the HTTP status that says so."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


MOST = 64
"""That are taken of one peer at a time."""
_CANDIDATE = re.compile(
    r"(?P<foundation>\S{1,64}) (?P<component>\d{1,3}) (?P<transport>\S+) (?P<priority>\d{1,10}) (?P<host>\S+) "
    r"(?P<port>\d{1,5}) typ (?P<type>\S+)(?P<more>( \S+)*)"
)
_TYPES = ("host", "srflx", "prflx", "relay")


def is_candidate(text: str) -> bool:
    """Whether what stands after `a=candidate:` has the form of one (RFC 8839), of use or not."""
    return _CANDIDATE.fullmatch(_spaced(text)) is not None


def usable(text: str) -> str | None:
    """The candidate that stands after `a=candidate:` without its extensions; None where it is of no use to us.

    That is one by another transport than UDP, of RTCP (which is multiplexed here), of an unknown type, behind a name
    (of multicast DNS or another: such a peer reaches us, and is then known), or no candidate.
    """
    found = _CANDIDATE.fullmatch(_spaced(text))
    if found is None or found["transport"].lower() != "udp" or found["type"].lower() not in _TYPES:
        return None
    if found["component"] != "1" or not 0 < int(found["port"]) <= 65535 or not _is_address(found["host"]):
        return None
    return (
        f"{found['foundation']} 1 udp {min(int(found['priority']), 2**31 - 1)} {found['host']} {found['port']} "
        f"typ {found['type'].lower()}"
    )


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _is_address(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_multicast or "%" in host)


MOST_BYTES = 16_384
END = ""


@dataclass(frozen=True, slots=True)
class Trickled:
    """What a fragment brings."""

    fragment: str | None
    """The sender's ICE user name, where it is told."""
    candidates: tuple[tuple[str, str], ...]
    """(mid, candidate) in order; a candidate is the text after `a=candidate:`, of use or not, or `END`."""


def read_fragment(text: str) -> Trickled:
    """What a fragment says.

    Raises:
        OfferError: it is none.
    """
    if len(text) > MOST_BYTES:
        raise OfferError(f"candidates: expected {MOST_BYTES} bytes or less, got {len(text)}", 413)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or any(line[1:2] != "=" for line in lines):
        raise OfferError("candidates: expected lines of an SDP fragment (RFC 8840), got something else")
    found = tuple(_candidates(lines))
    if len(found) > MOST:
        raise OfferError(f"candidates: expected {MOST} or fewer, got {len(found)}")
    given = [text for _, text in found if text != END]
    if given and not any(is_candidate(text) for text in given):
        raise OfferError(f"candidates: expected lines of candidates, got {given[0][:80]!r}")
    fragment = next((line.partition(":")[2] for line in lines if line.startswith("a=ice-ufrag:")), None)
    return Trickled(fragment, found)


def _candidates(lines: list[str]) -> Iterator[tuple[str, str]]:
    mid = ""
    for line in lines:
        name, _, value = line.partition(":")
        if name == "a=mid":
            mid = value
        elif name == "a=candidate":
            yield mid, value
        elif name == "a=end-of-candidates":
            yield mid, END
