"""Download and unpacking of bundles, with limits on size, redirects, names and file types.

A .zip or .tar.gz may mean harm: names, kinds and sizes are looked at first.
"""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from mien.address import scheme_of
from mien.errors import ModelError

MOST_DOWNLOADED: Final = 2 << 30
_SECONDS: Final = 30.0
"""Seconds without data after which a download counts as stalled."""
_CHUNK: Final = 1 << 18

Told = Callable[[int, int | None], None]
"""Called with the bytes so far, and all of them where the server says."""
MOST_FILES: Final = 64
MOST_UNPACKED: Final = 4 << 30
"""Of all files together, unpacked."""
_COPIED: Final = 1 << 20
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, RuntimeError, ValueError)
Member = tuple[str, "IO[bytes] | None"]
"""Name, and what to read; None for a folder."""


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
    if size > MOST_DOWNLOADED:
        raise ModelError(f"{url}: expected at most {MOST_DOWNLOADED} bytes, got more; it is no model bundle")


def unpack(archive: Path, folder: Path) -> None:
    """Write the archive's files under `folder`, which must be empty; nothing else of them (modes, owners) is kept.

    Raises:
        ModelError: it is no such archive, is broken, or holds links, devices, paths that lead out, or too much.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                _write_all(_zip_members(zipped), archive, folder)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tarred:
                _write_all(_tar_members(tarred), archive, folder)
        else:
            raise ModelError(f"{archive}: expected a .zip or .tar.gz with a model bundle, got something else")
    except _BROKEN as error:
        raise ModelError(f"{archive}: expected a whole archive, got an error ({error}); get it again") from error


def _zip_members(zipped: zipfile.ZipFile) -> Iterator[Member]:
    for entry in zipped.infolist():
        mode = entry.external_attr >> 16
        if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and stat.S_IFMT(mode):
            raise _refused(zipped.filename, entry.filename, "a link or device")
        if entry.is_dir():
            yield entry.filename, None
        else:
            with zipped.open(entry) as content:
                yield entry.filename, content


def _tar_members(tarred: tarfile.TarFile) -> Iterator[Member]:
    for entry in tarred:
        if not (entry.isreg() or entry.isdir()):
            raise _refused(tarred.name, entry.name, "a link or device")
        yield entry.name, tarred.extractfile(entry) if entry.isreg() else None


def _write_all(members: Iterator[Member], archive: Path, folder: Path) -> None:
    left = MOST_UNPACKED
    for count, (name, content) in enumerate(members):
        if count >= MOST_FILES:
            raise ModelError(f"{archive}: expected at most {MOST_FILES} files, got more; it is no model bundle")
        path = folder / _inside(archive, name)
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
            continue
        if path.exists():
            raise _refused(archive, name, "a name that comes twice")
        path.parent.mkdir(parents=True, exist_ok=True)
        left -= _copy(content, path, left, archive)


def _inside(archive: Path, name: str) -> PurePosixPath:
    """The name as a path that stays in the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or any(mark in name for mark in "\\:\0") or not name:
        raise _refused(archive, name, "a path that leads out of its folder")
    return path


def _copy(content: IO[bytes], path: Path, most: int, archive: Path) -> int:
    """Bytes written; what the archive says of sizes is not believed."""
    written = 0
    with path.open("xb") as file:
        while chunk := content.read(_COPIED):
            written += len(chunk)
            if written > most:
                raise ModelError(
                    f"{archive}: expected at most {MOST_UNPACKED} bytes unpacked, got more; it is no bundle"
                )
            file.write(chunk)
    return written


def _refused(archive: object, name: str, what: str) -> ModelError:
    return ModelError(f"{archive}: expected plain files in a folder, got {what}: {name!r}")
