"""Fragments that bring candidates."""

from __future__ import annotations

import pytest

from mien.serve.webrtc.candidates import END, MOST_BYTES, read_fragment
from mien.serve.webrtc.offer import OfferError

CANDIDATE = "1 1 udp 2122 192.0.2.7 5000 typ host"


def test_candidates_belong_to_the_section_above_them() -> None:
    read = read_fragment(
        "a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=audio 9 RTP/AVP 0\r\na=mid:1\r\n"
        f"a=candidate:{CANDIDATE}\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\n"
        f"a=candidate:{CANDIDATE}\r\na=end-of-candidates\r\n"
    )
    assert read.fragment == "abcd"
    assert read.candidates == (("1", CANDIDATE), ("0", CANDIDATE), ("0", END))


def test_a_fragment_without_a_user_name_is_taken() -> None:
    assert read_fragment(f"a=candidate:{CANDIDATE}").fragment is None


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400),
        ('{"candidate": 1}', 400),
        ("a=x\r\n" * MOST_BYTES, 413),
        (f"a=candidate:{CANDIDATE}\r\n" * 65, 400),
    ],
)
def test_what_is_none_is_refused(text: str, status: int) -> None:
    with pytest.raises(OfferError) as caught:
        read_fragment(text)
    assert caught.value.status == status
