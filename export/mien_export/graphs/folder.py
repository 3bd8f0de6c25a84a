"""A bundle's folder that takes its place in one step, when all of it is there."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from mien.errors import SinkError
from mien.manifest import MANIFEST


@contextlib.contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder that becomes `folder` when the block ends, and vanishes when the block fails.

    Raises:
        SinkError: `folder` is there and is no bundle, or it cannot be written.
    """
    if folder.exists() and not _may_go(folder):
        raise SinkError(f"{folder}: expected a model bundle or nothing there, got something else; give another --out")
    token = secrets.token_hex(4)
    new, old = (folder.with_name(f".{folder.name}.{token}.{end}") for end in ("part", "old"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new.mkdir()
        yield new
        if folder.exists():
            os.replace(folder, old)
        os.replace(new, folder)
    except OSError as error:
        raise SinkError(f"{folder}: cannot be written ({error.strerror or error})") from error
    finally:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _may_go(folder: Path) -> bool:
    return folder.is_dir() and ((folder / MANIFEST).is_file() or not any(folder.iterdir()))
