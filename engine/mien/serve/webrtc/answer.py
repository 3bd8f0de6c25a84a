"""The answer (SDP) to a peer's offer."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from aioice.candidate import Candidate, candidate_foundation, candidate_priority

from mien.serve.webrtc.offer import Offer, OfferedSection


def announce(answer: str, address: str | None) -> str:
    """The answer with a candidate at `address` beside each one of this machine, at the same ports."""
    if address is None:
        return answer
    return "".join(f"{line}\r\n" for line in _announced(answer.splitlines(), address))


def restored(answer: str, offer: Offer) -> str:
    """aiortc's answer to what was made of an offer, as the answer to the offer itself.

    It has a section for each one that was offered, in the same order, those that are turned down with port 0; names and
    bundles only what the offerer named and bundled; and says packetization modes as they were offered (RFC 3264, 8843,
    6184).
    """
    session, *sections = _parted(answer.splitlines())
    made = {line[6:]: section for section in sections for line in section if line.startswith("a=mid:")}
    bundled = [place.mid for place in offer.places if place.mid in offer.bundle]
    lines = [line for line in session if not line.startswith("a=group:BUNDLE")]
    lines += [f"a=group:BUNDLE {' '.join(str(mid) for mid in bundled)}"] if bundled else []
    for place in offer.places:
        lines += _turned_down(place) if place.mid is None else _taken(made[place.mid], place)
    return "".join(f"{line}\r\n" for line in lines)


def _parted(lines: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            parts.append([])
        parts[-1].append(line)
    return parts


def _taken(lines: list[str], place: OfferedSection) -> Iterator[str]:
    for line in lines:
        number = line.partition(":")[2].partition(" ")[0]
        if line.startswith("m="):
            yield line.replace("UDP/TLS/RTP/SAVPF", place.section.protocol, 1)
        elif line.startswith("a=fmtp:") and number in place.single:
            yield line.replace("packetization-mode=1", "packetization-mode=0")
        elif place.section.mid is not None or not line.startswith("a=mid:"):
            yield line


def _turned_down(place: OfferedSection) -> list[str]:
    section = place.section
    named = [] if section.mid is None else [f"a=mid:{section.mid}"]
    return [
        f"m={section.kind} 0 {section.protocol} {' '.join(section.listed) or '0'}",
        "c=IN IP4 0.0.0.0",
        "a=inactive",
        *named,
    ]


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
