"""Access control: tokens, origins, rate limits, and limits on idle connections."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import urlsplit

from mien.clock import Clock
from mien.serve.refusal import Refusal
from mien.serve.settings import Rate, is_loopback

PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Paths open to everybody."""
PAGE: Final = frozenset({"/", "/room/{name}", "/page/{file}"})
"""The page's own files, which tell nothing of anybody; so may `/api/v1/server` be read, which then tells less."""
OPEN: Final = PROBES | PAGE | {"/api/v1/server"}
CROSS_ORIGIN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, Link, ETag, Retry-After, Mien-Resume",
}
PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "3600",
}
"""Whoever may ask is decided by the token alone: browsers send no credentials of their own to `*`."""


class Access:
    """Decides by path and headers, before the body of a request is read."""

    def __init__(self, token: str | None) -> None:
        """`token`: that is needed; None where the server is bound to loopback and wants none."""
        self._digest = None if token is None else _digest(token)

    @property
    def needs_token(self) -> bool:
        """Whether requests must bear one."""
        return self._digest is not None

    def bears_token(self, headers: Mapping[str, str]) -> bool:
        """Whether the right token is there; in a time that tells nothing of it."""
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        if self._digest is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(_digest(given.strip()), self._digest)

    def authorised(self, headers: Mapping[str, str]) -> bool:
        """Whether all of the server may be seen."""
        return self.bears_token(headers) if self.needs_token else not _from_elsewhere(headers)

    def check(self, place: str, headers: Mapping[str, str]) -> None:
        """Let a request pass.

        Args:
            place: pattern of the route, empty where there is none; no path that a client spells in its own way.

        Raises:
            Refusal: 401 without the right token, 403 from another origin where the server has no token.
        """
        if place in PROBES:
            return
        if self.needs_token:
            if not (place in OPEN or self.bears_token(headers)):
                raise Refusal(401, _WANTED, {"WWW-Authenticate": "Bearer"})
            return
        if not _named_loopback(headers.get("Host", "")):
            raise Refusal(403, f"host: expected localhost, got {headers.get('Host', 'none')!r}; start with --token")
        if _from_elsewhere(headers) and place not in PAGE:
            origin = headers.get("Origin", "another site")
            raise Refusal(403, f"origin: expected this server's own page, got {origin}; start with --token and bear it")


_WANTED = "token: expected Authorization: Bearer TOKEN, got none or another one; it was printed when the server started"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _from_elsewhere(headers: Mapping[str, str]) -> bool:
    """Whether a browser asks on behalf of another origin."""
    origin = headers.get("Origin")
    if origin is not None and origin.rpartition("://")[2].lower() != headers.get("Host", "").lower():
        return True
    return headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")


def _named_loopback(host: str) -> bool:
    """Whether the host name is a loopback name: any other name could be DNS rebinding by another page."""
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


CLIENTS = 4096
"""That are remembered; the one that was quiet for longest is forgotten first."""


class RateLimit:
    """Counts by client; a pure function of what was asked and when."""

    def __init__(self, rate: Rate, clients: int = CLIENTS) -> None:
        self._rate = rate
        self._most = clients
        self._clients: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """(left, as of when) by client, the latest last."""

    def wait(self, client: str, now: float) -> float:
        """Take one request of `client` at `now` (seconds): 0 if it may go on, else the seconds until one may."""
        left, since = self._clients.pop(client, (self._rate.burst, now))
        left = min(left + max(now - since, 0.0) * self._rate.steady, self._rate.burst)
        allowed = left >= 1.0
        self._clients[client] = (left - 1.0 if allowed else left, now)
        if len(self._clients) > self._most:
            self._clients.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._rate.steady


SWEEP = 5.0
"""Seconds between two looks."""


class HttpConnection(Protocol):
    """As aiohttp's server lists them."""

    @property
    def transport(self) -> asyncio.BaseTransport | None: ...


class Connections:
    """Knows since when each has asked nothing. Lives on the event loop."""

    def __init__(self, clock: Clock, idle: float, most: int) -> None:
        """`idle`: seconds without a request after which one is closed; `most`: that may be open."""
        self._clock = clock
        self._idle = idle
        self._most = most
        self._quiet_since: dict[HttpConnection, float] = {}
        self._asking: dict[HttpConnection, int] = {}
        """Requests that are being answered; both forget what is no longer open when it is swept."""

    def begin(self, connection: HttpConnection) -> None:
        """Take note of a request that is being answered."""
        self._asking[connection] = self._asking.get(connection, 0) + 1

    def end(self, connection: HttpConnection) -> None:
        """Take note that it was answered."""
        self._asking[connection] = self._asking.get(connection, 1) - 1
        self._quiet_since[connection] = self._clock.now()

    def sweep(self, connections: list[HttpConnection]) -> int:
        """Close those that were quiet for too long, and the longest quiet of too many; how many."""
        now = self._clock.now()
        for known in (self._quiet_since, self._asking):
            for gone in known.keys() - set(connections):
                del known[gone]
        quiet = [one for one in connections if not self._asking.get(one)]
        quiet.sort(key=lambda one: self._quiet_since.setdefault(one, now))
        too_many = len(connections) - self._most
        closed = [one for at, one in enumerate(quiet) if at < too_many or now - self._quiet_since[one] >= self._idle]
        for one in closed:
            if one.transport is not None:
                one.transport.close()
        return len(closed)
