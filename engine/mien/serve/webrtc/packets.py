"""The size of the packets that pictures are sent in: such as every way takes, tunnels and all, without fragments.

aiortc's are up to 1,386 bytes with all headers, and it has no setting: the size is a constant of two of its modules.
"""

from __future__ import annotations

from aiortc.codecs import h264, vpx

LARGEST = 1180
"""Bytes of a payload: 1,280 less the headers of IPv6, UDP, RTP with its extensions, and SRTP."""


def keep_small() -> None:
    """Let all of this process's packets be that small; more than once is allowed."""
    for module in (h264, vpx):
        if not isinstance(getattr(module, "PACKET_MAX", None), int):
            raise RuntimeError("aiortc: expected codecs with a size of packets, PACKET_MAX; this version has none")
        setattr(module, "PACKET_MAX", LARGEST)  # noqa: B010 - which mypy does not see in both
