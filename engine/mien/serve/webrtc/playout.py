"""How long a receiver may hold pictures back (playout-delay, a header extension of RTP that Chromium reads).

By itself it steadies pictures by as much as they come irregularly, in a narrow network by hundreds of milliseconds.

Format: https://webrtc.googlesource.com/src/+/main/docs/native-code/rtp-hdrext/playout-delay/README.md
"""

from __future__ import annotations

from typing import Final

from aiortc import RTCRtpSender
from aiortc.rtcrtpparameters import RTCRtpParameters
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, pack_header_extensions, unpack_header_extensions

from mien.serve.webrtc.inside import add_header_extension, write_header_extensions

URI: Final = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
LONGEST: Final = 0.1
"""Seconds."""
_STEP: Final = 0.01
_VALUE: Final = round(LONGEST / _STEP).to_bytes(3, "big")
"""12 bits of the least delay, which is 0, and 12 of the largest."""


class _WithPlayout(HeaderExtensionsMap):
    """Writes the extension into each packet where the receiver knows it."""

    def __init__(self) -> None:
        super().__init__()
        self._id: int | None = None

    def configure(self, parameters: RTCRtpParameters) -> None:
        super().configure(parameters)
        self._id = next((known.id for known in parameters.headerExtensions if known.uri == URI), None)

    def set(self, values: HeaderExtensions) -> tuple[int, bytes]:
        profile, packed = super().set(values)
        if self._id is None:
            return profile, packed
        return pack_header_extensions([*unpack_header_extensions(profile, packed), (self._id, _VALUE)])


def know_playout_delay() -> None:
    """Let all of this process's connections agree upon the extension for video; more than once is allowed."""
    add_header_extension("video", URI)


def tell_playout_delay(sender: RTCRtpSender) -> None:
    """Let a sender that has not begun say it with each packet."""
    write_header_extensions(sender, _WithPlayout())
