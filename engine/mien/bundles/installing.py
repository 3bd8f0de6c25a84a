"""Adding and removing user bundles: checked first, then installed in one step."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mien.bundles import BESIDE, InstalledBundle, installed_bundles, need_open
from mien.bundles.fetching import Told, download, is_url, unpack
from mien.errors import ModelError, reason_of
from mien.machine.folders import user_models
from mien.manifest import MANIFEST, Bundle, read_bundle, read_manifest
from mien.provenance import hash_file


def add(source: str, sha256: str | None, told: Told) -> Bundle:
    """Check the bundle at a path (folder, .zip or .tar.gz) or address and put it among the user's, whole or not at all.

    Args:
        sha256: that an archive must have, in hexadecimal; None: not known.
        told: is called while it is downloaded.

    Raises:
        ModelError: it is broken, foreign, or not what the hash says; or one of its name is here already.
    """
    with _staging() as stage:
        given = _unpacked(_archive(source, sha256, stage, told), sha256, stage)
        said = read_manifest(given)
        _need_free(said.name)
        bundle = _copied(said, stage / "bundle")
        place = _models() / bundle.name
        try:
            os.rename(bundle.folder, place)
        except OSError as error:
            raise ModelError(f"{place}: the model cannot be put there ({error.strerror})") from error
    return read_manifest(place)


def remove(name: str) -> Path:
    """Remove one of the user's bundles; what is given back is where it was.

    Raises:
        ModelError: there is none of that name, or it belongs to the package.
    """
    place = _here(name)
    if place is None or place.packaged:
        reason = "it comes with mien" if place else "there is none of that name"
        raise ModelError(f"model {name}: expected one that was added, got another: {reason}; see mien models list")
    with _staging() as stage:
        try:
            os.rename(place.folder, stage / "removed")
        except OSError as error:
            raise ModelError(f"{place.folder}: the model cannot be removed ({error.strerror})") from error
    return place.folder


def _models() -> Path:
    folder = user_models()
    if folder is None:
        raise ModelError("models: expected a home folder to keep them in, got none; set HOME or XDG_DATA_HOME")
    return folder


def _here(name: str) -> InstalledBundle | None:
    return next((place for place in installed_bundles() if place.name == name), None)


def _need_free(name: str) -> None:
    place = _here(name)
    if place is not None:
        cure = "use the other by its path" if place.packaged else f"mien models remove {name} first"
        raise ModelError(f"model {name}: expected a name that is free, got one that is in {place.folder}; {cure}")


@contextmanager
def _staging() -> Iterator[Path]:
    """A folder on the same disk as the user's bundles, hidden, and gone at the end."""
    stage = _models() / f".{secrets.token_hex(8)}"
    try:
        stage.mkdir(parents=True)
    except OSError as error:
        raise ModelError(f"{stage.parent}: expected to be able to write there, got {reason_of(error)}") from error
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _archive(source: str, sha256: str | None, stage: Path, told: Told) -> Path:
    if not is_url(source):
        return Path(source)
    path = stage / "download"
    download(source, path, told, hashed=sha256 is not None)
    return path


def _unpacked(source: Path, sha256: str | None, stage: Path) -> Path:
    """The folder with the manifest."""
    if os.path.isdir(source):
        if sha256 is not None:
            raise ModelError(f"{source}: --sha256 is for archives, got a folder, whose manifest has the hashes")
        return source
    need_open(source, str(source))
    if not os.path.isfile(source):
        raise ModelError(f"{source}: expected a model bundle (folder, .zip or .tar.gz), got none there")
    if not os.access(source, os.R_OK):
        raise ModelError(f"{source}: expected a file that may be read, got another; change its permissions")
    if sha256 is not None and (found := hash_file(source)) != sha256.lower():
        raise ModelError(f"{source.name}: expected sha256 {sha256}, got {found}; it is another file or was changed")
    folder = stage / "unpacked"
    folder.mkdir()
    unpack(source, folder)
    inner = list(folder.iterdir())
    return inner[0] if len(inner) == 1 and inner[0].is_dir() else folder


def _copied(said: Bundle, folder: Path) -> Bundle:
    """What the manifest names, and words for people, copied and then checked in full."""
    folder.mkdir()
    names = {MANIFEST, *(graph.path.name for graph in said.graphs)}
    for pattern in BESIDE:
        names |= {path.name for path in said.folder.glob(pattern) if path.is_file() and not path.is_symlink()}
    try:
        for name in sorted(names):
            shutil.copyfile(said.folder / name, folder / name, follow_symlinks=False)
    except OSError as error:
        raise ModelError(f"{said.folder}: the model cannot be copied ({error.strerror})") from error
    return read_bundle(folder)
