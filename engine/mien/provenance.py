"""Provenance record of an output, stored in the container's metadata."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mien.bundles import find
from mien.config import WARP, ReenactSettings
from mien.manifest import MANIFEST
from mien.marking.payload import Payload, drawn_if

_CHUNK = 1 << 20


def own_version() -> str:
    """The version of mien, also where it was copied rather than installed."""
    try:
        return version("mien")
    except PackageNotFoundError:
        return "of a source tree"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made an output; hashes are SHA-256 in hexadecimal."""

    version: str
    """Of mien."""
    model: str
    """Its name, and of a bundle the hash of its manifest, which holds the hashes of its files."""
    portraits: tuple[str, ...]
    """Hash of each picture's file, in the order given."""
    settings: str
    """Hash of the settings that decide which pixels come out."""
    payload: Payload | None = None
    """What the invisible mark says; None: there is none."""

    def as_metadata(self) -> dict[str, str]:
        """The record as flat container metadata."""
        said = {} if self.payload is None else {"mien_session": self.payload.name}
        return said | {
            "mien_version": self.version,
            "mien_model": self.model,
            "mien_portrait_sha256": " ".join(self.portraits),
            "mien_settings_sha256": self.settings,
        }


def record(pictures: Sequence[str | os.PathLike[str]], settings: ReenactSettings, version: str) -> Provenance:
    """The record of an output made from `pictures` with `settings`.

    Raises:
        OSError: a picture cannot be read.
    """
    hashes = tuple(hash_file(Path(path)) for path in pictures)
    said = drawn_if(settings.invisible_mark)
    return Provenance(version, _model(settings.model), hashes, hash_settings(settings), said)


def all_pictures(
    pictures: Sequence[str | os.PathLike[str]], settings: ReenactSettings
) -> tuple[str | os.PathLike[str], ...]:
    """`pictures`, and the one that they are blended with."""
    return (*pictures, *(() if settings.morph is None else (settings.morph,)))


def _model(name: str) -> str:
    if name == WARP:
        return name
    folder = find(name)
    return f"{folder.name} {hash_file(folder / MANIFEST)}"


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def hash_once(path: Path) -> str:
    """As `hash_file`; a long file is read again only if its size or its time of change is another one."""
    facts = path.stat()
    return _hash_of(path, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _hash_of(path: Path, *facts: int) -> str:
    return hash_file(path)


def hash_settings(settings: ReenactSettings) -> str:
    """SHA-256 of the settings' values; threads and credentials, which change no pixel, are left out."""
    values = asdict(settings)
    del values["threads"], values["credentials"]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
