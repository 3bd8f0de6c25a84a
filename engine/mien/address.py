"""Addresses of streams: their scheme, their host, and their form for messages, without passwords and stream keys."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

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


@contextlib.contextmanager
def host_errors_told() -> Iterator[None]:
    """Have a name that no host can have, such as one with a part of over 63 characters, be an error of the system's.

    Raises:
        OSError: in place of UnicodeError, which Python's resolver raises.
    """
    try:
        yield
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "no host can have such a name") from error


def host_of(address: str) -> str | None:
    """The host of an address; None where it names none, or is none."""
    try:
        return urlsplit(address).hostname or None
    except ValueError:
        return None


def is_known(host: str) -> bool:
    """Whether the system knows an address of a host."""
    try:
        with host_errors_told():
            socket.getaddrinfo(host, None)
    except (OSError, ValueError):
        return False
    return True


def unknown(host: str) -> str:
    """Words for a host that is not known, with what to do."""
    return f"no host of the name {host!r}; check its spelling, and that this machine has a name server"
