"""Network streams: RTSP, RTMP, HLS and others over HTTP, MPEG-TS over TCP and UDP."""

from __future__ import annotations

import errno
import os

import av
from av.container.input import InputContainer

from mien.address import host_of, is_known, public_name, scheme_of, unknown
from mien.capture.pixels import describe
from mien.clock import Clock, MonotonicClock
from mien.errors import SourceError

SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "tcp", "udp"})
_PATIENT = frozenset({"http", "https", "tcp", "rtmp", "rtmps"})
"""Schemes whose senders wait when they are not read; RTSP senders send in real time regardless."""
_LISTED = "http,https,tcp,tls,crypto,data,httpproxy"
"""Protocols that playlists may use; local files are excluded."""
_OPEN_SECONDS = 10.0
_NEARLY = 0.95
"""Share of the wait for an answer after which an error is taken for its end: libav has many names for it."""
_SECURE = {"https": "http", "rtsps": "rtsp", "rtmps": "rtmp"}
_WORDS = {
    errno.ECONNREFUSED: "the connection refused; is the server running, is the port right?",
    errno.ECONNRESET: "the connection cut; check the port, and the server's log",
    errno.EHOSTUNREACH: "no way to that host; check address and network",
    errno.ENETUNREACH: "no way to that host; check address and network",
    errno.EINVAL: "an address that cannot be used (invalid argument); check host and port",
}
_READ_SECONDS = {"http": 30.0, "https": 30.0}
"""Seconds without data after which a stream counts as broken; HLS is silent between segments."""
_READ_DEFAULT = 5.0
_PROBE_BYTES, _PROBE_MICROSECONDS = "500000", "1000000"
"""How much of a stream is read before its first frame to learn what is in it."""


class NetworkFeed:
    """A stream at an address."""

    def __init__(self, address: str, *, clock: Clock | None = None, patience: float = _OPEN_SECONDS) -> None:
        """Understand the address.

        Args:
            clock: by which the wait for an answer is told; None: the machine's.
            patience: seconds until an answer.
        """
        self._address = address
        self._clock = clock or MonotonicClock()
        self._patience = patience
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

    @property
    def received(self) -> None:
        return None

    def open(self) -> InputContainer:
        began = self._clock.now()
        try:
            return av.open(
                self._address,
                "r",
                options=self._options(),
                timeout=(self._patience, self._read_seconds),
                metadata_errors="replace",
            )
        except (av.FFmpegError, OSError) as error:
            silent = self._clock.now() - began >= self._patience * _NEARLY
            reason = self._silence() if silent else self._reason(error)
            raise SourceError(f"{self.name}: expected a stream, got {reason}") from error

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

    def _silence(self) -> str:
        return f"no answer within {self._patience:g} s; check address and network"

    def _reason(self, error: av.FFmpegError | OSError) -> str:
        if isinstance(error, av.error.ExitError | av.error.TimeoutError):
            return self._silence()
        if isinstance(error, av.error.HTTPError | av.error.HTTPClientError):
            return self._refusal(error)
        if error.errno in _WORDS:
            return _WORDS[error.errno]
        if isinstance(error, av.error.InvalidDataError):
            return f"an answer that is no stream ({describe(error)}); check scheme, port and path"
        host = host_of(self._address)
        if host is not None and not self._by_proxy and not is_known(host):
            return unknown(host)
        if self._scheme in _SECURE:
            told, plain = describe(error), _SECURE[self._scheme]
            return f"no TLS connection, or one that broke ({told}); check the port, or try {plain}:// without TLS"
        if isinstance(error, av.error.EOFError):
            return "a connection that was closed without an answer; check the port, and the server's log"
        return f"something else ({describe(error)}); check port and path, and that it plays in a player"

    @property
    def _by_proxy(self) -> bool:
        """Whether a proxy resolves the host name."""
        return self._scheme in ("http", "https") and bool(os.environ.get("http_proxy"))

    def _refusal(self, error: av.FFmpegError) -> str:
        if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
            return f"no permission; give user and password in the address ({self._scheme}://user:password@...)"
        if isinstance(error, av.error.HTTPNotFoundError):
            return "no stream of that name there; check the path"
        return f"a refusal ({describe(error)}); look at the server's log, and try again later"
