"""Who may ask: tokens, other origins, and names that lead to this machine by a detour."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from mien.serve.refusal import Refusal
from mien.serve.settings import is_loopback

PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Answered to everybody."""
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
    """Decides by path and headers, before anything else of a request is read."""

    def __init__(self, token: str | None) -> None:
        """`token`: that is needed; None where the server is bound to loopback and wants none."""
        self._digest = None if token is None else _digest(token)

    @property
    def needs_token(self) -> bool:
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
    """A name that leads here by somebody's DNS would make another page's requests look like our own page's."""
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
