"""What is told to a peer in return."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from aioice.candidate import Candidate, candidate_foundation, candidate_priority


def announce(answer: str, address: str | None) -> str:
    """The answer with a candidate at `address` beside each one of this machine, at the same ports."""
    if address is None:
        return answer
    return "".join(f"{line}\r\n" for line in _announced(answer.splitlines(), address))


def fragment_of(answer: str) -> str:
    """The ICE user name of this side."""
    return next(line.partition(":")[2] for line in answer.splitlines() if line.startswith("a=ice-ufrag:"))


def _announced(lines: list[str], address: str) -> Iterator[str]:
    version = ipaddress.ip_address(address).version
    for line in lines:
        yield line
        if not line.startswith("a=candidate:"):
            continue
        own = Candidate.from_sdp(line.partition(":")[2])
        if own.type != "host" or ipaddress.ip_address(own.host).version != version or own.host == address:
            continue
        outside = Candidate(
            foundation=candidate_foundation("srflx", "udp", own.host),
            component=own.component,
            transport="udp",
            priority=candidate_priority(own.component, "srflx"),
            host=address,
            port=own.port,
            type="srflx",
            related_address=own.host,
            related_port=own.port,
        )
        yield f"a=candidate:{outside.to_sdp()}"
