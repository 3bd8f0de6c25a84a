"""Candidates that come after the offer: application/trickle-ice-sdpfrag (RFC 8840)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mien.serve.webrtc.candidates import MOST, is_candidate
from mien.serve.webrtc.offer import OfferError

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
