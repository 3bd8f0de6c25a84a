"""Reading of a peer's offer (SDP), and rewriting it in a form that aiortc understands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mien.serve.webrtc.candidates import MOST, OfferError, usable
from mien.serve.webrtc.section import DIRECTIONS, Direction, Section, attribute_of, parted

__all__ = ["DIRECTIONS", "Direction", "Offer", "OfferError", "OfferedSection", "read_offer"]

MOST_BYTES = 65_536
_DIGESTS = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"""Bytes of the fingerprints that aiortc checks; SHA-1 and MD5 prove nothing any more."""
_SETUPS = ("actpass", "active", "passive")
_CODECS = {"video": ("H264", "VP8"), "audio": ("OPUS",)}
_PREFERRED: dict[bool, tuple[Direction, ...]] = {
    True: ("sendrecv", "sendonly", "recvonly", "inactive"),
    False: ("sendrecv", "recvonly", "sendonly", "inactive"),
}
"""Which of several sections is taken, by whether something is to come."""
_HEX = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True)
class OfferedSection:
    """Position of a media section in the offer, and so in the answer."""

    section: Section
    mid: str | None
    """As aiortc knows it; None: the section is turned down."""
    single: frozenset[str] = frozenset()
    """Payload types of H.264 in packetization mode 0, which aiortc knows as of mode 1."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer of which at most one video and one audio section are taken."""

    sdp: str
    """What is taken, in the form that aiortc understands."""
    video: Direction
    """Direction of video, from the offerer's point of view."""
    audio: Direction | None
    """None: no section that can be met."""
    fragment: str
    """The offerer's ICE user name."""
    places: tuple[OfferedSection, ...] = ()
    """All sections, in their order."""
    bundle: tuple[str, ...] = ()
    """The offerer's BUNDLE group, by mid."""


def read_offer(text: str, *, receives: bool = True) -> Offer:
    """Read SDP.

    What only some programs can do is left out or turned down, and nothing that stands beside it: other codecs, further
    sections, data channels, candidates of no use, attributes that nobody knows. H.264 of a profile that is only decoded
    is answered as constrained baseline, where no baseline is offered beside it. Where nothing is said, the defaults of
    the RFCs count: both directions, H.264 in packetization mode 0, which is taken but not sent.

    Args:
        receives: whether a picture is to come; else one is to go.

    Raises:
        OfferError: it is no offer (400), or one that is not understood or cannot be met (422).
    """
    if len(text) > MOST_BYTES:
        raise OfferError(f"offer: expected {MOST_BYTES} bytes or less, got {len(text)}", 413)
    lines = [line.rstrip() for line in text.removeprefix("\ufeff").splitlines() if line.strip()]
    if not lines or lines[0] != "v=0" or any(line[1:2] != "=" for line in lines):
        raise OfferError("offer: expected SDP that begins with v=0, got something else")
    session, sections = parted("\n".join(lines))
    _need_names(sections)
    video = _chosen(sections, "video", session, receives)
    if video is None:
        raise OfferError(f"offer: expected a video section, got {_kinds(sections)}", 422)
    audio = _chosen(sections, "audio", session, receives)
    offer = _made(session, sections, video, audio)
    if _is_single(offer) and not (receives and offer.video == "sendonly"):
        raise OfferError(
            "offer: expected VP8, or H264 in packetization mode 1, to send it, got H264 in mode 0 only", 422
        )
    return offer


def _is_single(offer: Offer) -> bool:
    return any(place.single for place in offer.places)


def _made(session: list[str], sections: list[Section], video: Section, audio: Section | None) -> Offer:
    taken = [section for section in sections if section in (video, audio)]
    bundle = tuple(next((value.split()[1:] for value in attribute_of(session, "group") if _bundles(value)), ()))
    names = {section: section.mid or f"unnamed{place}" for place, section in enumerate(sections)}
    shared = _tagged(sections, bundle)
    bundled = [names[section] for section in taken if section.mid in bundle]
    written = [line for line in session if line.startswith(("v=", "o=", "s=", "t=")) or line == "a=ice-lite"]
    written += [f"a=group:BUNDLE {' '.join(bundled)}"] if bundled else []
    directions: dict[Section, Direction] = {}
    places: dict[Section, OfferedSection] = {}
    for section in taken:
        said = _direction(section, session)
        baseline, single = _baselines(section, said)
        directions[section] = "sendonly" if single and said == "sendrecv" else said
        transport = _transport(section, shared if section.mid in bundle else None, session)
        written += section.written(names[section], said, transport, baseline)
        places[section] = OfferedSection(section, names[section], single)
    fragment = next(line.partition(":")[2] for line in written if line.startswith("a=ice-ufrag:"))
    return Offer(
        "".join(f"{line}\r\n" for line in written),
        directions[video],
        None if audio is None else directions[audio],
        fragment,
        tuple(places.get(section, OfferedSection(section, None)) for section in sections),
        bundle,
    )


def _bundles(group: str) -> bool:
    return group.split(" ")[0].upper() == "BUNDLE"


def _kinds(sections: list[Section]) -> str:
    return ", ".join(f"{one.kind} (rejected)" if one.is_rejected else one.kind for one in sections)[:80] or "none"


def _need_names(sections: list[Section]) -> None:
    """Sections may have no names at all, but not the same ones."""
    broken = next((section for section in sections if not section.is_formed), None)
    if broken is not None:
        raise OfferError(f"offer: expected media as m=KIND PORT PROTOCOL FORMATS, got one of {broken.kind[:40]!r}")
    mids = [section.mid for section in sections if section.mid is not None]
    if len(set(mids)) != len(mids):
        raise OfferError("offer: expected sections with a mid each, got the same one twice", 422)


def _chosen(sections: list[Section], kind: str, session: list[str], receives: bool) -> Section | None:
    """The section of a kind that is taken.

    Raises:
        OfferError: there are some of video, but none that can be met.
    """
    offered = [section for section in sections if section.kind == kind and not section.is_rejected]
    able = [
        section
        for section in offered
        if any(_is_able(found.name, found.is_readable, kind) for found in section.formats.values())
    ]
    if kind == "video" and offered and not able:
        got = dict.fromkeys(
            f"{found.name} of profile {found.profile[:6]}" if found.name == "H264" else found.name
            for section in offered
            for found in section.formats.values()
            if found.name not in ("RTX", "RED", "ULPFEC", "FLEXFEC-03")
        )
        raise OfferError(
            f"offer: expected H264 or VP8 among its video codecs, got {', '.join(got)[:100] or 'none that is named'}",
            422,
        )
    order = _PREFERRED[receives]
    return min(able, key=lambda section: order.index(_direction(section, session)), default=None)


def _is_able(name: str, is_readable: bool, kind: str) -> bool:
    return name in _CODECS[kind] and (name != "H264" or is_readable)


def _direction(section: Section, session: list[str]) -> Direction:
    for found in (section.direction, *(one for one in DIRECTIONS if f"a={one}" in session)):
        if found is not None:
            return found
    return "sendrecv"


def _tagged(sections: list[Section], bundle: Sequence[str]) -> Section | None:
    """The section whose transport the bundle has; others may say nothing of theirs (RFC 8843)."""
    return next(
        (section for mid in bundle for section in sections if section.mid == mid and section.has("ice-ufrag")), None
    )


def _transport(section: Section, shared: Section | None, session: list[str]) -> list[str]:
    """Lines of ICE and DTLS: of the section, else of its bundle, else of the session.

    Raises:
        OfferError: there are none, or not such as can be met.
    """

    def said(name: str) -> list[str]:
        return section.values(name) or (shared.values(name) if shared else []) or attribute_of(session, name)

    if not (section.has("rtcp-mux") or section.has("rtcp-mux-only") or (shared and shared.has("rtcp-mux"))):
        raise OfferError(f"offer: expected a=rtcp-mux in its {section.kind} section, got none", 422)
    user, password = next(iter(said("ice-ufrag")), ""), next(iter(said("ice-pwd")), "")
    if not user or not password:
        raise OfferError("offer: expected ICE credentials (a=ice-ufrag and a=ice-pwd), got none or only one", 422)
    setup = next(iter(said("setup")), "active").lower()  # RFC 4145, 4: what is meant where nothing is said
    if setup not in _SETUPS:
        raise OfferError(f"offer: expected a=setup: with {' or '.join(_SETUPS)}, got {setup[:40]!r}", 422)
    lines = [f"a=ice-ufrag:{user}", f"a=ice-pwd:{password}", f"a=setup:{setup}"]
    lines += [f"a=fingerprint:{one}" for one in _fingerprints(said("fingerprint"))]
    # without an end of them, which aioice takes, where there are none, for a medium that is not there
    return lines + [f"a=candidate:{one}" for value in said("candidate")[:MOST] if (one := usable(value))]


def _fingerprints(values: list[str]) -> list[str]:
    """Of the strongest digest that is offered.

    Raises:
        OfferError: there are none that can be checked.
    """
    found: dict[str, list[str]] = {}
    for value in values:
        digest, _, text = value.partition(" ")
        digest, text = digest.lower(), text.strip()
        if _HEX.fullmatch(text) and len(text) == 3 * _DIGESTS.get(digest, 0) - 1:
            found.setdefault(digest, []).append(f"{digest} {text.upper()}")
    if found:
        return found[max(found, key=lambda digest: _DIGESTS[digest])]
    got = ", ".join(value[:30] for value in values)[:100]
    raise OfferError(
        f"offer: expected the fingerprint of its certificate (a=fingerprint:sha-256 and 32 bytes), got {got or 'none'}",
        422,
    )


def _baselines(section: Section, direction: Direction) -> tuple[frozenset[str], frozenset[str]]:
    """Which H.264 aiortc is to take for the one that it knows, and which of it is of packetization mode 0.

    What only comes may be of any packetization: all of them are read. Mode 0 is never sent; so where it is all that
    there is, nothing is.
    """
    offered = {number: found for number, found in section.named("H264").items() if found.is_readable}
    whole = {number for number, found in offered.items() if found.packetization == "1"}
    if any(_is_baseline(offered[number].profile) for number in whole):
        return frozenset(), frozenset()
    single = offered.keys() - whole
    if direction != "sendonly" and (whole or section.named("VP8")):
        single = set()
    return frozenset(whole | single), frozenset(single)


def _is_baseline(profile: str) -> bool:
    """Whether aiortc takes it for one of the two that it knows."""
    from aiortc.sdp import H264Profile, parse_h264_profile_level_id  # when an offer comes: this module is light

    try:
        found, _ = parse_h264_profile_level_id(profile)
    except ValueError:
        return False
    return found in (H264Profile.PROFILE_BASELINE, H264Profile.PROFILE_CONSTRAINED_BASELINE)
