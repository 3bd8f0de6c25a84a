"""A file from the web, with an eye on its size and its way."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from mien.address import scheme_of
from mien.errors import ModelError

MOST_BYTES: Final = 2 << 30
_SECONDS: Final = 30.0
"""Without a byte, until it counts as stalled."""
_CHUNK: Final = 1 << 18

Told = Callable[[int, int | None], None]
"""Called with the bytes so far, and all of them where the server says."""


def is_url(source: str) -> bool:
    """Whether it is to be downloaded rather than read."""
    return scheme_of(source) in ("http", "https")


def download(url: str, path: Path, told: Told, *, hashed: bool) -> None:
    """Write what is at `url` into the new file `path`.

    Args:
        hashed: whether the caller knows the content's hash; where not, every step of the way must be https.

    Raises:
        ModelError: it cannot be had, is cut short or too large, or comes in the clear and unhashed.
    """
    _need_safe_way(url, hashed)
    try:
        with urlopen(Request(url, headers={"User-Agent": "mien"}), timeout=_SECONDS) as answer:
            _need_safe_way(answer.url, hashed)
            _write(answer, url, path, told)
    except (URLError, HTTPException, OSError, ValueError) as error:
        if isinstance(error, HTTPError):
            error.close()
        reason = getattr(error, "reason", None) or error
        raise ModelError(f"{url}: cannot be downloaded ({reason}); check the address and the network") from error


def _need_safe_way(url: str, hashed: bool) -> None:
    if scheme_of(url) != "https" and not hashed:
        raise ModelError(
            f"{url}: expected https, got a way on which the file can be changed; give its hash with --sha256"
        )


def _write(answer: Any, url: str, path: Path, told: Told) -> None:
    length = answer.headers.get("Content-Length")
    total = int(length) if length is not None else None
    done = 0
    _need_small(url, total or 0)
    with path.open("xb") as file:
        while chunk := answer.read(_CHUNK):
            done += len(chunk)
            _need_small(url, done)
            file.write(chunk)
            told(done, total)
    if total is not None and done != total:
        raise ModelError(f"{url}: expected {total} bytes, got {done}; the download was cut short: try again")


def _need_small(url: str, size: int) -> None:
    if size > MOST_BYTES:
        raise ModelError(f"{url}: expected at most {MOST_BYTES} bytes, got more; it is no model bundle")
