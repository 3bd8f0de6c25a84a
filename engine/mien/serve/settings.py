"""All settings of a server."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass, field
from pathlib import Path

from mien.config import ReenactSettings
from mien.errors import SettingError
from mien.serve.webrtc.settings import PeerSettings

LEAST_TOKEN = 16
"""Characters of a token that somebody chose."""
LEAST_LATENCY, MOST_LATENCY = 0.02, 2.0


@dataclass(frozen=True, slots=True)
class Rate:
    """`steady` requests a second for good, and up to `burst` at once."""

    steady: float
    burst: float

    def __post_init__(self) -> None:
        if not (self.steady > 0 and self.burst >= 1):
            raise ValueError(f"expected a steady rate above 0 and a burst of at least 1, got {self}")


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for clients."""

    upload_bytes: int = 20 << 20
    upload_pixels: int = 50_000_000
    consent_characters: int = 2000
    portraits: int = 100
    """Uploaded ones that are kept at once."""
    decodings: int = 4
    """Uploads that wait for the one that is decoded."""
    body_bytes: int = 256 << 10
    """Of anything but an upload."""
    body_seconds: float = 30.0
    """In which a request's body must have come."""
    quiet: float = 60.0
    """Seconds after which a connection that asks nothing is closed."""
    connections: int = 512
    """By HTTP, at once."""
    streams: int = 32
    """Streams of events at once."""
    viewers: int = 4
    """Of one session, by WHEP."""
    requests: Rate = Rate(30.0, 120.0)
    """By one address, but for the page's own files."""
    files: Rate = Rate(200.0, 2000.0)
    """Of these: one page has about forty, and people behind one address open it together."""
    openings: Rate = Rate(1.0, 20.0)
    """Of sessions, viewers and uploads, by one address."""
    resume: float = 30.0
    """Seconds for which a session waits for a peer that is gone."""
    session: float = 8 * 3600.0
    """Seconds that a session lasts at most."""


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Settings of the server."""

    host: str = "127.0.0.1"
    port: int = 8080
    """0: a free one."""
    token: str | None = None
    """That every request must bear; None: none, which only a loopback address allows."""
    cert: Path | None = None
    """PEM file with the certificate and its chain; with `key`: serve by TLS."""
    key: Path | None = None
    portraits: Path | None = None
    """Folder in which uploads are kept; None: until the server ends."""
    records: Path | None = None
    """Folder in which the signed records of sessions are kept; None: the user's own for that."""
    most_sessions: int | None = None
    """None: as many as the machine is measured to sustain."""
    latency: float = 0.1
    """Seconds from capture to emit that are promised where a session asks for nothing else."""
    reenact: ReenactSettings = field(default_factory=ReenactSettings)
    peer: PeerSettings = field(default_factory=PeerSettings)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not self.host.strip("[]"):
            raise SettingError("host: expected an address of this machine, got none; 0.0.0.0 is all of them")
        if not 0 <= self.port <= 65535:
            raise SettingError(f"port must be from 0 to 65535, got {self.port}")
        if (self.cert is None) != (self.key is None):
            raise SettingError("cert and key: expected both or neither, got one; name the other one, too")
        if self.token is None and not is_loopback(self.host):
            raise SettingError(f"host {self.host}: expected a token, got none; only a loopback address goes without")
        if self.token is not None:
            need_token(self.token)
        if self.most_sessions is not None and not 1 <= self.most_sessions <= 1000:
            raise SettingError(f"sessions must be from 1 to 1000, got {self.most_sessions}")
        if not (math.isfinite(self.latency) and LEAST_LATENCY <= self.latency <= MOST_LATENCY):
            raise SettingError(f"latency must be from 20 to 2000 ms, got {self.latency * 1e3:g}")
        if self.reenact.background == "alpha":
            raise SettingError("background must be one that WebRTC can show, got alpha; name a colour to key out")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def need_token(token: str) -> None:
    """Raise SettingError for a token that can be guessed, or that no header can carry."""
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingError(
            f"token: expected at least {LEAST_TOKEN} printable ASCII characters without spaces, got {len(token)} "
            "characters; leave it out and one is made"
        )
