"""What is told of addresses."""

from __future__ import annotations

from mien.serve.webrtc.answer import announce, fragment_of

ANSWER = (
    "v=0\r\nm=video 40000 UDP/TLS/RTP/SAVPF 102\r\n"
    "a=candidate:aa 1 udp 2130706431 10.0.0.5 40000 typ host\r\n"
    "a=candidate:bb 1 udp 2130706431 fd00::5 40001 typ host\r\n"
    "a=candidate:cc 1 udp 1694498815 198.51.100.1 40000 typ srflx raddr 10.0.0.5 rport 40000\r\n"
    "a=ice-ufrag:wxyz\r\n"
)


def test_without_an_announced_address_the_answer_stays() -> None:
    assert announce(ANSWER, None) == ANSWER


def test_the_announced_address_stands_beside_each_own_one_of_its_kind() -> None:
    added = set(announce(ANSWER, "203.0.113.9").splitlines()) - set(ANSWER.splitlines())
    (line,) = added
    assert "203.0.113.9 40000 typ srflx raddr 10.0.0.5 rport 40000" in line


def test_an_address_that_is_our_own_is_not_told_twice() -> None:
    assert announce(ANSWER, "10.0.0.5") == ANSWER


def test_the_user_name_is_found() -> None:
    assert fragment_of(ANSWER) == "wxyz"
