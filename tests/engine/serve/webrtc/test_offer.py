"""Offers of real programs, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.serve.webrtc.offer import MOST_BYTES, OfferError, read_offer

SESSION = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
PRINT = f"a=fingerprint:sha-256 {':'.join(['AB'] * 32)}\r\n"
COMMON = f"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\na=rtcp-mux\r\n{PRINT}"
AUDIO = f"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\n{COMMON}a=rtpmap:111 opus/48000/2\r\na=recvonly\r\n"


def video(*formats: tuple[int, str], direction: str = "sendonly", extra: str = "") -> str:
    """A section that offers H.264 in these (payload type, parameters)."""
    numbers = " ".join(str(number) for number, _ in formats)
    lines = "".join(f"a=rtpmap:{number} H264/90000\r\na=fmtp:{number} {text}\r\n" for number, text in formats)
    return f"m=video 9 UDP/TLS/RTP/SAVPF {numbers}\r\na=mid:0\r\n{COMMON}{lines}a={direction}\r\n{extra}"


def profiles(sdp: str) -> list[str]:
    return [line.split("profile-level-id=")[1].split(";")[0] for line in sdp.splitlines() if "profile-level-id" in line]


def test_directions_are_the_offerers() -> None:
    offer = read_offer(SESSION + video((102, "packetization-mode=1;profile-level-id=42e01f")) + AUDIO)
    assert (offer.video, offer.audio, offer.fragment) == ("sendonly", "recvonly", "abcd")


def test_a_direction_of_the_session_counts_where_a_section_has_none() -> None:
    section = video((102, "packetization-mode=1"), direction="x-none")
    assert read_offer(SESSION + "a=recvonly\r\n" + section).video == "recvonly"
    assert read_offer(SESSION + section).video == "sendrecv"


@pytest.mark.parametrize("profile", ["4d0028", "64001f", "640C1F", "4200ff"])
def test_profiles_that_are_only_read_are_answered_as_baseline(profile: str) -> None:
    offer = read_offer(
        SESSION + video((102, f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile}"))
    )
    assert profiles(offer.sdp) == ["42e01f"]
    assert "level-asymmetry-allowed=1" in offer.sdp


def test_a_baseline_that_is_offered_beside_others_is_left_to_be_chosen() -> None:
    text = SESSION + video(
        (102, "packetization-mode=1;profile-level-id=42001f"), (104, "packetization-mode=1;profile-level-id=64001f")
    )
    assert profiles(read_offer(text).sdp) == ["42001f", "64001f"]


def test_profiles_that_are_not_read_are_refused() -> None:
    with pytest.raises(OfferError, match="got H264 of profile f4001f"):
        read_offer(SESSION + video((102, "packetization-mode=1;profile-level-id=f4001f")))


def test_any_packetization_is_read_but_only_one_is_sent() -> None:
    single = (102, "packetization-mode=0;profile-level-id=42e01f")
    assert "packetization-mode=1" in read_offer(SESSION + video(single)).sdp
    assert read_offer(SESSION + video(single, direction="sendrecv")).video == "sendonly"
    for direction, receives in (("recvonly", True), ("recvonly", False), ("sendrecv", False)):
        with pytest.raises(OfferError, match="mode 0 only"):
            read_offer(SESSION + video(single, direction=direction), receives=receives)


def test_candidates_that_only_multicast_resolves_are_left_out() -> None:
    named = "a=candidate:1 1 udp 2122 3a7e.local 5000 typ host\r\n"
    plain = "a=candidate:2 1 udp 2122 192.0.2.7 5000 typ host\r\n"
    offer = read_offer(SESSION + video((102, "packetization-mode=1"), extra=named + plain + "a=end-of-candidates\r\n"))
    assert ".local" not in offer.sdp
    assert "end-of-candidates" not in offer.sdp
    assert plain in offer.sdp


def test_a_flood_of_candidates_is_cut() -> None:
    many = "".join(f"a=candidate:{n} 1 udp 2122 192.0.2.7 {5000 + n} typ host\r\n" for n in range(200))
    assert read_offer(SESSION + video((102, "packetization-mode=1"), extra=many)).sdp.count("a=candidate") == 64


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400),
        ("hello", 400),
        ("v=0\r\nthis is no line", 400),
        (SESSION, 422),
        (SESSION + AUDIO + AUDIO, 422),
        (SESSION + AUDIO, 422),
        (SESSION + video((102, "packetization-mode=1")) + AUDIO.replace("a=mid:1", "a=mid:0"), 422),
        (SESSION + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", 422),
        ("v=0\r\n" + "a=x\r\n" * MOST_BYTES, 413),
    ],
)
def test_what_is_no_offer_is_told_in_one_line(text: str, status: int) -> None:
    with pytest.raises(OfferError) as caught:
        read_offer(text)
    assert caught.value.status == status
    assert "\n" not in str(caught.value)


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    for tried in (text, SESSION + text, SESSION + video((102, text.replace("\n", " ")))):
        try:
            read_offer(tried)
        except OfferError:
            continue
