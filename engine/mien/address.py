"""Addresses of streams: what they name, and how they are told without what is secret in them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_KEYED = frozenset({"rtmp", "rtmps"})
"""Whose last part of the path is a key that lets everybody publish."""


def scheme_of(name: str) -> str | None:
    """The scheme of an address in lower case, None for what is no address."""
    found = _SCHEME.match(name)
    return found.group(1).lower() if found else None


def public_name(address: str) -> str:
    """The address without user, password, query and stream key, for messages and logs."""
    scheme = scheme_of(address)
    if scheme is None:
        return address
    parts = urlsplit(address)
    path = parts.path
    if scheme in _KEYED and path.count("/") > 1:
        path = path.rpartition("/")[0] + "/..."
    return f"{scheme}://{parts.netloc.rpartition('@')[2]}{path}"
