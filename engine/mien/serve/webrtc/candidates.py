"""Candidates of a peer's ICE, as real programs write them: what is of no use, or none at all, is left out."""

from __future__ import annotations

import ipaddress
import re

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
