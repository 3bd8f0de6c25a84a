"""A bundle's folder that takes its place in one step, when all of it is there."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from mien.errors import SinkError, reason_of
from mien.machine.atomic import Draft
from mien.manifest import MANIFEST


@contextlib.contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder that becomes `folder` when the block ends, and vanishes when the block fails.

    Raises:
        SinkError: `folder` is there and is no bundle, or it cannot be written.
    """
    folder = Path(os.path.realpath(folder))  # a link to a bundle goes on leading to it
    if os.path.lexists(folder) and not _may_go(folder):
        raise SinkError(f"{folder}: expected a model bundle or nothing there, got something else; give another --out")
    old = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.old")
    new: Draft | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Draft(folder, folder=True)
        yield new.path
        if folder.exists():
            os.replace(folder, old)
        new.keep()
    except OSError as error:
        raise SinkError(f"{folder}: cannot be written ({reason_of(error)})") from error
    finally:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        if new is not None:
            new.drop()
        shutil.rmtree(old, ignore_errors=True)


def _may_go(folder: Path) -> bool:
    return os.path.isdir(folder) and ((folder / MANIFEST).is_file() or not any(folder.iterdir()))
