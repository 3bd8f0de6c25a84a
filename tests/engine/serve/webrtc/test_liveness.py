"""Who is there, told by what comes."""

from __future__ import annotations

from mien.serve.webrtc.statistics import FLOOD, Liveness


def liveness() -> Liveness:
    return Liveness(100.0, first_media=20.0, idle=10.0)


def test_a_peer_that_never_sends_is_given_up() -> None:
    live = liveness()
    assert live.verdict(5, 119.0) == ""
    assert "within 20 s" in live.verdict(9, 121.0)
    assert live.silent_for(121.0) is None


def test_a_peer_that_falls_silent_is_given_up() -> None:
    live = liveness()
    live.heard(150.0)
    assert live.verdict(0, 159.0) == ""
    assert live.silent_for(159.0) == 9.0
    assert "for 10 s" in live.verdict(0, 161.0)


def test_a_flood_ends_it() -> None:
    live = liveness()
    live.heard(101.0)
    assert live.verdict(FLOOD // 2, 101.0) == ""
    assert "packets a second" in live.verdict(FLOOD // 2 + 2 * FLOOD, 102.0)
