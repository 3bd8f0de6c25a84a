"""Installed model bundles: first those in the package, then those the user added."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mien.errors import ModelError, reason_of
from mien.machine.folders import user_models
from mien.manifest import MANIFEST

PACKAGED = Path(__file__).parent
BESIDE = ("LICENSE*", "LICENCE*", "NOTICE*", "README*")
"""What else of a bundle is kept: words for people."""


@dataclass(frozen=True, slots=True)
class InstalledBundle:
    """Folder of an installed bundle; it is checked when it is read."""

    name: str
    folder: Path
    packaged: bool


def installed_bundles() -> tuple[InstalledBundle, ...]:
    """All that are here, by name; of two with one name only the packaged one, which is the one that is used."""
    found: dict[str, InstalledBundle] = {}
    for root in (PACKAGED, user_models()):
        for folder in _folders(root):
            if os.path.isfile(folder / MANIFEST) and not folder.name.startswith("."):
                found.setdefault(folder.name, InstalledBundle(folder.name, folder, root is PACKAGED))
    return tuple(found.values())


def _folders(root: Path | None) -> list[Path]:
    """What lies in a folder; nothing where there is none that may be read, such as in another user's home."""
    try:
        return sorted(root.iterdir()) if root is not None else []
    except OSError:
        return []


def need_open(path: Path, name: str) -> None:
    """Tell what forbids looking at a path; that there is nothing is for others to tell."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return
    except OSError as error:
        raise ModelError(
            f"model {name}: expected to be able to read it, got an error ({reason_of(error)}); check its permissions"
        ) from error


def files_of(folder: Path) -> list[Path]:
    """The files of a bundle, by their names: whatever of that kind lies in its folder."""
    return [path for kind in (MANIFEST, "*.onnx", *BESIDE) for path in folder.glob(kind)]


def find(name: str) -> Path:
    """The folder of the bundle with this name, or at this path.

    Raises:
        ModelError: there is none.
    """
    for place in installed_bundles():
        if place.name == name:
            return place.folder
    path = Path(name)
    if os.path.isdir(path):
        return path
    if path.name == MANIFEST and os.path.isfile(path):
        return path.parent
    need_open(path, name)
    names = ", ".join(place.name for place in installed_bundles()) or "none"
    raise ModelError(
        f"model {name}: expected one that is here ({names}) or the folder of a bundle, got neither; "
        "mien models add PATH|URL adds one"
    )
