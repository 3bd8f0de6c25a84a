"""Says what an uploaded file says of itself, in a child process with limited memory and time.

`python -P -m mien.serve.verifying FILE` is that process: it prints a JSON object. It knows mien's certificates on this
machine, and no key.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

from mien.errors import MienError, SourceError
from mien.machine.folders import temporary_folder
from mien.serve.refusal import Refusal, later
from mien.serve.settings import Limits

MEMORY: Final = 4 << 30
"""Bytes of address space."""
SECONDS: Final = 60
"""Of processor time; and of patience, one and a half times as much."""
PIECES: Final = 1
"""Pieces of a video in which the invisible mark is looked for: its first ten seconds at 25 frames a second."""
_KEPT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "HOME", "XDG_DATA_HOME")
_ENDING: Final = 8


class Verifying:
    """Lives on the event loop; one file is looked at at a time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._looking = asyncio.Semaphore(1)
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def receiving(self) -> AsyncIterator[Path]:
        """A folder for an upload, which is gone on leaving.

        Raises:
            Refusal: too many wait (503).
        """
        if self._waiting >= self._limits.decodings:
            raise later(503, "verify: expected room for one more file, got none; come again", 3)
        self._waiting += 1
        try:
            with temporary_folder("set TMPDIR") as folder:
                yield folder
        finally:
            self._waiting -= 1

    async def told(self, upload: Path) -> dict[str, Any]:
        """What it says of itself; see `Told.as_json`.

        Raises:
            Refusal: it is no picture, video or record that can be read (422).
        """
        async with self._looking:
            try:
                return await told_of(upload)
            except SourceError as error:
                raise Refusal(422, str(error).replace(str(upload), "file")) from None


def place_of(folder: Path, name: str) -> Path:
    """Where an upload is written: with its ending, which says what it is, and nothing else of its name."""
    ending = "".join(letter for letter in Path(name).suffix[1:_ENDING].lower() if letter.isascii() and letter.isalnum())
    return folder / (f"file.{ending}" if ending else "file")


async def told_of(upload: Path) -> dict[str, Any]:
    """What a file says of itself, from a process of its own.

    Raises:
        SourceError: it cannot be read, or takes too long.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", "mien.serve.verifying", str(upload)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: os.environ[name] for name in _KEPT if name in os.environ} | {"OMP_NUM_THREADS": "1"},
    )
    try:
        async with asyncio.timeout(1.5 * SECONDS):
            out, error = await process.communicate()
    except TimeoutError:
        raise SourceError(f"file: expected one that is read within {SECONDS} s, got none; take a shorter one") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode == 0:
        told: dict[str, Any] = json.loads(out)
        return told
    said = error.decode(errors="replace").strip().splitlines()
    if process.returncode == 2 and said:
        raise SourceError(said[-1])
    raise SourceError("file: expected a picture, a video or a record, got what cannot be read; take another one")


def main(arguments: Sequence[str]) -> int:
    """The process's whole life."""
    from mien.verdict import of_file, of_record

    path = Path(arguments[0])
    _limit()
    try:
        told = of_record(path) or of_file(path, pieces=PIECES)
    except MienError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    print(told.as_json())  # noqa: T201 (its answer)
    return 0


def _limit() -> None:
    try:
        import resource
    except ImportError:  # not on this system
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
