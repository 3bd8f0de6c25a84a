"""Settings and limits of a peer."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Literal

from mien.errors import SettingError

Codec = Literal["h264", "vp8"]
CODECS: tuple[Codec, ...] = ("h264", "vp8")
_SERVER = re.compile(r"(stun|turns?):[^\s?/]+(\?transport=(udp|tcp))?")


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server that candidates are asked of."""

    url: str
    """stun:HOST[:PORT], turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT]."""
    username: str | None = None
    credential: str | None = None

    def __post_init__(self) -> None:
        if not _SERVER.fullmatch(self.url) or not _can_be(self.url.partition(":")[2]):
            raise SettingError(f"an ICE server: expected stun:, turn: or turns: and a host, got {self.url!r}")


def _can_be(place: str) -> bool:
    """Whether HOST[:PORT] may be resolved: no part of a host's name is empty, or longer than 63 characters."""
    host = place.partition("?")[0].rpartition("]")[0] or place.partition("?")[0].partition(":")[0]
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False


@dataclass(frozen=True, slots=True)
class BitrateLimits:
    """Bits a second of the video that is sent to one peer."""

    least: int = 100_000
    easy: int = 600_000
    """Below this a receiver's estimate counts only while packets are late or lost: one that gets little guesses low."""
    begin: int = 800_000
    most: int = 3_000_000

    def __post_init__(self) -> None:
        if not 50_000 <= self.least <= self.easy <= self.begin <= self.most <= 50_000_000:
            raise SettingError(
                "bitrates: expected 50000 <= least <= easy <= begin <= most <= 50000000 bits a second, "
                f"got {self.least}, {self.easy}, {self.begin}, {self.most}"
            )


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """Where a peer is reached, and how long it may be silent."""

    ice_servers: tuple[IceServer, ...] = ()
    announced: str | None = None
    """The address under which a machine behind a one-to-one NAT is known outside; told beside its own."""
    ports: tuple[int, int] | None = None
    """First and last UDP port that is used; None: any."""
    bitrate: BitrateLimits = field(default_factory=BitrateLimits)
    codecs: tuple[Codec, ...] = CODECS
    """In order of preference, whatever the peer prefers."""
    first_media: float = 20.0
    """Seconds from the answer after which a peer of which nothing came is closed."""
    idle: float = 10.0
    """Seconds of silence after which a peer is closed."""
    largest: int = 1920 * 1088
    """Pixels of a received picture; larger ones do not decode."""
    threads: int = 1
    """Of one encoder or decoder."""

    def __post_init__(self) -> None:
        if self.announced is not None:
            _need_address(self.announced)
        if self.ports is not None and not 1024 <= self.ports[0] <= self.ports[1] <= 65535:
            raise SettingError(f"UDP ports: expected two from 1024 to 65535, the lower first, got {self.ports}")
        if not self.codecs or len(set(self.codecs)) != len(self.codecs) or not set(self.codecs) <= set(CODECS):
            raise SettingError(f"codecs: expected some of {', '.join(CODECS)}, got {self.codecs}")
        if not (0 < self.first_media <= 3600 and 0 < self.idle <= 3600):
            raise SettingError(f"time-outs: expected 0 to 3600 s, got {self.first_media} and {self.idle}")


def _need_address(announced: str) -> None:
    try:
        ipaddress.ip_address(announced)
    except ValueError:
        raise SettingError(f"announced address: expected an IP address, got {announced!r}") from None
