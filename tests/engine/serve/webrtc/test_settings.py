"""Settings out of range are refused in one line."""

from __future__ import annotations

from typing import Any

import pytest

from mien.errors import SettingError
from mien.serve.webrtc.settings import BitrateLimits, IceServer, PeerSettings


@pytest.mark.parametrize("url", ["stun:stun.example.org", "turn:h:3478?transport=udp", "turns:h:5349?transport=tcp"])
def test_ice_servers(url: str) -> None:
    assert IceServer(url).url == url


@pytest.mark.parametrize("url", ["http://x", "stun:", "turn:h?transport=sctp", "stun:a b"])
def test_what_is_no_ice_server(url: str) -> None:
    with pytest.raises(SettingError, match="an ICE server"):
        IceServer(url)


@pytest.mark.parametrize(
    "wrong",
    [
        {"announced": "example.org"},
        {"ports": (5000, 4000)},
        {"ports": (80, 90)},
        {"codecs": ()},
        {"codecs": ("h264", "h264")},
        {"codecs": ("av1",)},
        {"idle": 0.0},
        {"first_media": 1e9},
    ],
)
def test_what_no_peer_can_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        PeerSettings(**wrong)


def test_bitrates_are_in_order() -> None:
    with pytest.raises(SettingError, match="bitrates"):
        BitrateLimits(least=500_000, easy=400_000)
