"""Commands as processes of their own, as a shell starts them."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

LIMIT = 60.0
"""Seconds after which a process that should have ended counts as one that hangs."""
SMALL = ("reenact", "sample:mira", "--model", "warp", "--size", "128", "--quiet")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mien", *arguments]


@contextlib.contextmanager
def begun(
    arguments: Sequence[str], folder: Path, *, ignored: signal.Signals | None = None, **how: Any
) -> Iterator[subprocess.Popen[str]]:
    """One in `folder`; killed on leaving, if it still runs. `ignored`: a signal that it ignores from the beginning."""
    before = signal.signal(ignored, signal.SIG_IGN) if ignored is not None else None
    try:
        process = subprocess.Popen(
            command(*arguments), cwd=folder, text=True, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
        )
    finally:
        if ignored is not None:
            signal.signal(ignored, before)
    with process:
        try:
            yield process
        finally:
            process.kill()


def hidden(folder: Path, process: subprocess.Popen[str], name: str) -> Path:
    """The file or folder that it begins under a hidden name; it may be the one that only tries whether that can be."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and process.poll() is None:
        for path in folder.glob(f".{name}.*.part"):
            return path
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    raise AssertionError(f"expected a hidden file in {folder}, got none")
