"""What a peer offers: read, judged, and brought into a form that aiortc understands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mien.errors import MienError

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")
MOST_BYTES = 65_536
MOST_CANDIDATES = 64
BASELINE = "42e01f"
"""Constrained baseline, level 3.1: what is answered to other profiles, too."""
_READABLE = ("42", "4d", "58", "64")
"""Profiles that the decoder reads: baseline, main, extended, high."""
_RTPMAP = re.compile(r"a=rtpmap:(\d+) H264/90000", re.IGNORECASE)
_FMTP = re.compile(r"a=fmtp:(\d+) (.*)")


class OfferError(MienError):
    """An offer, or a part of one, that cannot be met; `status` is the HTTP status that says so."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer of at most one video and one audio section."""

    sdp: str
    """In the form that aiortc understands."""
    video: Direction | None
    """Which way the offerer wants the picture to go, seen from there; None: no section."""
    audio: Direction | None
    fragment: str
    """The offerer's ICE user name."""


def read_offer(text: str) -> Offer:
    """Read SDP.

    Candidates that only multicast DNS could resolve are left out: such a peer reaches us, and is then known. H.264 of a
    profile that is only decoded is answered as constrained baseline, where no baseline is offered beside it.

    Raises:
        OfferError: it is no offer (400), or one that is not understood (422).
    """
    if len(text) > MOST_BYTES:
        raise OfferError(f"offer: expected {MOST_BYTES} bytes or less, got {len(text)}", 413)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != "v=0" or any(line[1:2] != "=" for line in lines):
        raise OfferError("offer: expected SDP that begins with v=0, got something else")
    session, *sections = _sections(lines)
    kinds = [section[0][2:].split(" ")[0] for section in sections]
    if not kinds or not set(kinds) <= {"video", "audio"} or len(set(kinds)) != len(kinds):
        got = ", ".join(kinds) or "none"
        raise OfferError(f"offer: expected one video and at most one audio section, got {got[:80]}", 422)
    _need_media_of_the_bundle(session, sections)
    made = [_understood(section) for section in sections]
    directions = {kind: _direction(section, session) for kind, section in zip(kinds, sections, strict=True)}
    sdp = "".join(f"{line}\r\n" for section in [session, *made] for line in section)
    return Offer(sdp, directions.get("video"), directions.get("audio"), _fragment(lines))


def _sections(lines: list[str]) -> list[list[str]]:
    """The session's own lines, then those of each medium."""
    sections: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line)
    return sections


def _need_media_of_the_bundle(session: list[str], sections: list[list[str]]) -> None:
    mids = [line[6:] for section in sections for line in section if line.startswith("a=mid:")]
    bundled = next((line.split(" ")[1:] for line in session if line.startswith("a=group:BUNDLE ")), [])
    if len(set(mids)) != len(mids) or not set(bundled[:1]) <= set(mids):
        raise OfferError("offer: expected media with a mid each, and a bundle that begins with one, got others", 422)


def _direction(section: list[str], session: list[str]) -> Direction:
    for line in [*section, *session]:
        for direction in DIRECTIONS:
            if line == f"a={direction}":
                return direction
    return "sendrecv"


def _fragment(lines: list[str]) -> str:
    return next((line.partition(":")[2] for line in lines if line.startswith("a=ice-ufrag:")), "")


def _understood(section: list[str]) -> list[str]:
    kept = list(_reachable(section))
    parameters = {match[1]: _parameters(match[2]) for line in kept if (match := _FMTP.fullmatch(line))}
    offered = {match[1]: parameters.get(match[1], {}) for line in kept if (match := _RTPMAP.fullmatch(line))}
    if any(_is_baseline(found) for found in offered.values()):
        return kept
    sends = "a=sendonly" in kept  # what only comes may be of any packetization: all of them are read
    readable = {number for number, found in offered.items() if _is_readable(found, sends)}
    return [_as_baseline(line, readable) for line in kept]


def _reachable(section: list[str]) -> Iterator[str]:
    count = 0
    for line in section:
        if line.startswith("a=candidate:"):
            count += 1
            if count > MOST_CANDIDATES or ".local " in line:
                continue
        if line != "a=end-of-candidates":  # aioice takes an end without any for a medium that is not there
            yield line


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return {name.lower(): value for name, _, value in pairs}


def _is_baseline(found: dict[str, str]) -> bool:
    """Whether aiortc takes it for one of the two that it knows."""
    from aiortc.sdp import H264Profile, parse_h264_profile_level_id  # when an offer comes: this module is light

    try:
        profile, _ = parse_h264_profile_level_id(found.get("profile-level-id", BASELINE))
    except ValueError:
        return False
    return found.get("packetization-mode") == "1" and profile in (
        H264Profile.PROFILE_BASELINE,
        H264Profile.PROFILE_CONSTRAINED_BASELINE,
    )


def _is_readable(found: dict[str, str], any_mode: bool) -> bool:
    profile = found.get("profile-level-id", BASELINE).lower()
    return (any_mode or found.get("packetization-mode") == "1") and profile.startswith(_READABLE)


def _as_baseline(line: str, numbers: set[str]) -> str:
    match = _FMTP.fullmatch(line)
    if match is None or match[1] not in numbers:
        return line
    made = {**_parameters(match[2]), "packetization-mode": "1", "profile-level-id": BASELINE}
    return f"a=fmtp:{match[1]} " + ";".join(f"{name}={value}" for name, value in made.items())
