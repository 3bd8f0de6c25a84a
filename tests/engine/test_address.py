from __future__ import annotations

import pytest

from mien.address import public_name, scheme_of


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("rtsp://a/b", "rtsp"), ("RTMP://a", "rtmp"), ("clip.mp4", None), ("camera:0", None), ("C:\\a.mp4", None)],
)
def test_scheme(name: str, scheme: str | None) -> None:
    assert scheme_of(name) == scheme


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("rtsp://user:word@host:554/one", "rtsp://host:554/one"),
        ("rtmp://host/live/key-of-mine", "rtmp://host/live/..."),
        ("https://host/list.m3u8?token=word", "https://host/list.m3u8"),
        ("udp://127.0.0.1:5000", "udp://127.0.0.1:5000"),
        ("clip.mp4", "clip.mp4"),
        ("rtsp://[::1/x", "rtsp://[::1/x"),
        ("rtsp://user:word@[::1/x", "rtsp://[::1/x"),
        ("rtsp://user:wo/rd@host/x", "rtsp://host/x"),
        ("rtsp://host:554/a@b", "rtsp://host:554/a@b"),
        ("tcp://host:99999999", "tcp://host:99999999"),
        ("rtmp://", "rtmp://"),
    ],
)
def test_what_is_secret_is_not_told(address: str, told: str) -> None:
    assert public_name(address) == told
