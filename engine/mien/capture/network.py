"""Streams of a network: RTSP, RTMP, HLS and others over HTTP, MPEG-TS over TCP and UDP."""

from __future__ import annotations

import errno

import av
from av.container.input import InputContainer

from mien.address import public_name, scheme_of
from mien.capture.pixels import describe
from mien.errors import SourceError

SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "tcp", "udp"})
_PATIENT = frozenset({"http", "https", "tcp", "rtmp", "rtmps"})
"""Whose senders wait where they are not read; one of RTSP plays in time, whatever becomes of it."""
_LISTED = "http,https,tcp,tls,crypto,data,httpproxy"
"""What a play list may name: nothing of this machine's own."""
_OPEN_SECONDS = 10.0
_READ_SECONDS = {"http": 30.0, "https": 30.0}
"""After so long without a byte a stream counts as broken off; HLS brings nothing between two segments."""
_READ_DEFAULT = 5.0
_PROBE_BYTES, _PROBE_MICROSECONDS = "500000", "1000000"
"""How much of a stream is read before its first frame to learn what is in it."""


class NetworkFeed:
    """A stream at an address."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._scheme = scheme_of(address) or ""
        self._read_seconds = _READ_SECONDS.get(self._scheme, _READ_DEFAULT)

    @property
    def name(self) -> str:
        return public_name(self._address)

    @property
    def lasting(self) -> bool:
        return True

    @property
    def patient(self) -> bool:
        return self._scheme in _PATIENT

    def open(self) -> InputContainer:
        try:
            return av.open(
                self._address,
                "r",
                options=self._options(),
                timeout=(_OPEN_SECONDS, self._read_seconds),
                metadata_errors="replace",
            )
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"{self.name}: expected a stream, got {_reason(error)}") from error

    def stop(self) -> None:
        """Nothing: libav's interrupt ends its reads."""

    def close(self) -> None:
        """Nothing is taken beside the container."""

    def _options(self) -> dict[str, str]:
        options = {"probesize": _PROBE_BYTES, "analyzeduration": _PROBE_MICROSECONDS}
        if self._scheme in ("rtsp", "rtsps"):
            options["rtsp_transport"] = "tcp"  # whole pictures, also over a network that loses packets
        if self._scheme in ("http", "https"):
            options["protocol_whitelist"] = _LISTED
        return options


def _reason(error: av.FFmpegError | OSError) -> str:
    if isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return f"no answer within {_OPEN_SECONDS:g} s; check address and network"
    if error.errno == errno.ECONNREFUSED:
        return "the connection refused; is the server running, is the port right?"
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return "no permission; give user and password in the address (rtsp://user:password@...)"
    if isinstance(error, av.error.HTTPNotFoundError):
        return "no stream of that name there; check the path"
    return f"an error ({describe(error)}); check the address, and that it plays in a player"
