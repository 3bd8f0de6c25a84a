"""Addresses of streams: their scheme, their hosts, and their form for messages, without passwords and stream keys."""

from __future__ import annotations

import re
import socket
from typing import Any

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d*)?")
_KEYED = frozenset({"rtmp", "rtmps"})
"""Schemes whose last path component is a stream key: whoever knows it can publish."""


def scheme_of(name: str) -> str | None:
    """The scheme of an address in lower case; None if `name` is not an address."""
    found = _SCHEME.match(name)
    return found.group(1).lower() if found else None


def public_name(address: str) -> str:
    """The address without user, password, query and stream key, for messages and logs; also of one that is broken."""
    scheme = scheme_of(address)
    if scheme is None:
        return address
    rest = re.split(r"[?#]", address.partition("://")[2], maxsplit=1)[0]
    place, slash, path = rest.partition("/")
    if "@" not in place and "@" in path and not _HOST.fullmatch(place):  # a slash in the password
        place, slash, path = rest.rpartition("@")[2].partition("/")
    if scheme in _KEYED and "/" in path:
        path = path.rpartition("/")[0] + "/..."
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"


def addresses_of(host: str, port: int | None, kind: socket.SocketKind) -> list[tuple[Any, ...]]:
    """What `socket.getaddrinfo` says of a host and port for sockets of this kind.

    Raises:
        OSError: there is no such host. For a name that cannot be one, such as `a..b`, Python's own function raises
            UnicodeError instead.
    """
    try:
        return list(socket.getaddrinfo(host, port, type=kind))
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "no name of a host: a part is empty or too long") from None
