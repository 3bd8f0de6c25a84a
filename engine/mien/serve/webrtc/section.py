"""One media section of an offer: parsed tolerantly, and rewritten for aiortc.

aiortc raises on attributes of unknown form. So a section is rewritten from what is understood, and unknown attributes
are ignored, as RFC 8866 requires.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")
BASELINE = "42e01f"
"""Constrained baseline, level 3.1: what is answered to other profiles, too."""
_READABLE = ("42", "4d", "58", "64")
"""Profiles that the decoder reads: baseline, main, extended, high."""
_MEDIA = re.compile(r"m=(\S+) (\d{1,5})(?:/\d+)? (\S+)((?: \S+)*)")
_RTPMAP = re.compile(r"(\d{1,3}) +([\w.+-]+)/(\d{1,6})(?:/(\d{1,2}))? *")
_FMTP = re.compile(r"(\d{1,3}) +(.*)")
_KEPT = {
    "mid": re.compile(r"\S{1,32}"),
    "msid": re.compile(r"\S+( \S+)?"),
    "extmap": re.compile(r"(?P<id>\d{1,3})(?P<direction>/\S+)? (?P<uri>\S+).*"),
    "rtcp-fb": re.compile(r"(\*|\d{1,3}) \S+( .*)?"),
    "ssrc": re.compile(r"\d{1,10} [^ :]+:.*"),
    "ssrc-group": re.compile(r"\S+( \d{1,10})+"),
}
"""Attributes that are handed on, where their values have the form that aiortc relies on."""
_WHOLE = ("apt", "max-fr", "max-fs", "maxplaybackrate", "minptime", "stereo", "useinbandfec")
"""Parameters that aiortc takes for whole numbers."""
_FORBIDDEN = range(72, 77)
"""Payload types that cannot be told from RTCP."""


@dataclass(frozen=True, slots=True)
class Format:
    """A codec that is offered."""

    spelled: str
    clock: str
    parameters: dict[str, str]

    @property
    def name(self) -> str:
        """In capitals, such as H264."""
        return self.spelled.upper()

    @property
    def packetization(self) -> str:
        """Of H.264: "0", which is meant where nothing is said, or "1" (RFC 6184, 8.1)."""
        return self.parameters.get("packetization-mode") or "0"

    @property
    def profile(self) -> str:
        """Of H.264; where nothing is said, what every H.264 is at least (RFC 6184 says baseline, level 1)."""
        return self.parameters.get("profile-level-id", BASELINE).lower()

    @property
    def is_readable(self) -> bool:
        return self.profile.startswith(_READABLE)


class Section:
    """A medium: its lines, of which the first is `m=`."""

    def __init__(self, lines: Sequence[str]) -> None:
        found = _MEDIA.fullmatch(lines[0])
        self.is_formed = found is not None
        self.kind, port, self.protocol, formats = found.groups() if found else (lines[0][2:].split(" ")[0], "0", "", "")
        self.listed = formats.split()
        """Payload types as they stand, or whatever stands in their place."""
        self.attributes = [
            (name, value) for line in lines[1:] if line.startswith("a=") for name, value in [_parted(line)]
        ]
        self.is_rejected = port == "0" and not self.has("bundle-only")
        self.formats = self._formats()

    def has(self, name: str) -> bool:
        return any(found == name for found, _ in self.attributes)

    def values(self, name: str) -> list[str]:
        return [value for found, value in self.attributes if found == name]

    def first(self, name: str) -> str | None:
        return next(iter(self.values(name)), None)

    @property
    def mid(self) -> str | None:
        return self.first("mid")

    @property
    def direction(self) -> Direction | None:
        """None where nothing is said."""
        return next((found for name, _ in self.attributes for found in DIRECTIONS if found == name), None)

    def named(self, *names: str) -> dict[str, Format]:
        """The formats of these names, by payload type."""
        return {number: found for number, found in self.formats.items() if found.name in names}

    def written(self, mid: str, direction: Direction, transport: Sequence[str], baseline: frozenset[str]) -> list[str]:
        """The lines that aiortc gets.

        Args:
            transport: lines of ICE and DTLS.
            baseline: payload types that are told as baseline with packetization mode 1, whatever they are.
        """
        numbers = " ".join(self.formats)
        lines = [f"m={self.kind} 9 UDP/TLS/RTP/SAVPF {numbers}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", f"a={direction}"]
        lines += ["a=rtcp-mux", *transport, *self._handed_on()]
        for number, found in self.formats.items():
            channels = "/2" if found.name == "OPUS" else ""
            lines.append(f"a=rtpmap:{number} {found.spelled}/{found.clock}{channels}")
            told = dict(found.parameters)
            if number in baseline:
                told |= {"packetization-mode": "1", "profile-level-id": BASELINE}
            if told:
                lines.append(f"a=fmtp:{number} " + ";".join(f"{name}={value}" for name, value in told.items()))
        return lines

    def _handed_on(self) -> Iterator[str]:
        for name, value in self.attributes:
            form = _KEPT.get(name)
            if form is None or name == "mid" or (found := form.fullmatch(value)) is None:
                continue
            if name == "extmap":  # without the attributes that may stand behind
                value = f"{found['id']}{found['direction'] or ''} {found['uri']}"
            yield f"a={name}:{value}"

    def _formats(self) -> dict[str, Format]:
        mapped = {found[1]: found for value in self.values("rtpmap") if (found := _RTPMAP.fullmatch(value))}
        told = {found[1]: _parameters(found[2]) for value in self.values("fmtp") if (found := _FMTP.fullmatch(value))}
        numbers = [number for number in dict.fromkeys(self.listed) if number in mapped and int(number) < 128]
        return {
            number: Format(mapped[number][2], mapped[number][3], told.get(number, {}))
            for number in numbers
            if int(number) not in _FORBIDDEN
        }


def parted(text: str) -> tuple[list[str], list[Section]]:
    """The session's own lines, and the sections."""
    session: list[str] = []
    sections: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("m="):
            sections.append([])
        if line.strip():
            (sections[-1] if sections else session).append(line.rstrip())
    return session, [Section(lines) for lines in sections]


def attribute_of(lines: Sequence[str], name: str) -> list[str]:
    """The values of an attribute in these lines."""
    return [value for line in lines if line.startswith("a=") for found, value in [_parted(line)] if found == name]


def _parted(line: str) -> tuple[str, str]:
    name, _, value = line[2:].partition(":")
    return name.strip(), value.strip()


def _parameters(text: str) -> dict[str, str]:
    """Names in small letters. A number that is none is left out."""
    pairs = (part.strip().partition("=") for part in text.split(";"))
    told = {name.strip().lower(): value.strip() for name, sign, value in pairs if sign and name.strip()}
    return {name: value for name, value in told.items() if name not in _WHOLE or value.isdecimal()}
