"""Sandboxed decoding of uploads to plain PNG, in a child process with limited memory and time.

`python -P -m mien.serve.decoding UPLOAD PNG LARGEST_PIXELS` is that process: it writes the picture and prints its size.
Without -P it would import modules from the folder in which the server was started.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mien.errors import MienError, SourceError

LARGEST = 2048
"""Longer side in pixels of what is kept of an upload."""
MEMORY = 2 << 30
"""Bytes of address space."""
KINDS = "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF or HEIC"
UNWRITTEN = 3
"""Exit code where the picture was decoded and cannot be written; the error's number is said then."""
SECONDS = 20
"""Of processor time; and of patience, one and a half times as much."""


async def decoded(upload: Path, png: Path, largest_pixels: int) -> tuple[int, int]:
    """(width, height) of the picture in `upload`, which is written to `png` without its metadata.

    Raises:
        SourceError: no picture of a kind that is known, damaged, too large, or too costly to decode.
        OSError: `png` cannot be written.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", "mien.serve.decoding", str(upload), str(png), str(largest_pixels)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ},
    )
    try:
        async with asyncio.timeout(1.5 * SECONDS):
            out, error = await process.communicate()
    except TimeoutError:
        raise SourceError(f"picture: expected one that decodes within {SECONDS} s, got none; save it again") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode == 0:
        width, height = map(int, out.split())
        return width, height
    said = error.decode(errors="replace").strip().splitlines()
    if process.returncode == 2 and said:
        raise SourceError(said[-1])  # before it a library may have said something of its own
    if process.returncode == UNWRITTEN and said:
        raise OSError(int(said[-1]), os.strerror(int(said[-1])))
    raise SourceError(f"picture: expected one that decodes, got none ({process.returncode}); save it again")


def main(arguments: Sequence[str]) -> int:
    """The process's whole life."""
    upload, png, largest_pixels = Path(arguments[0]), Path(arguments[1]), int(arguments[2])
    _limit()
    try:
        print(*_decode(upload, png, largest_pixels))  # noqa: T201 (its answer)
    except MienError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except _Unwritten as error:
        print(error.errno, file=sys.stderr)  # noqa: T201
        return UNWRITTEN
    return 0


class _Unwritten(OSError):
    """The picture cannot be written, which is no fault of the upload."""


def _limit() -> None:
    try:
        import resource
    except ImportError:  # not on this system
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _decode(upload: Path, png: Path, largest_pixels: int) -> tuple[int, int]:
    from fractions import Fraction

    from mien.capture import image
    from mien.emit.images import PictureEncoder
    from mien.frame import Frame

    try:
        width, height = image.stored_size(upload) or (0, 0)
        if 0 in (width, height):
            raise SourceError(f"picture: expected a {KINDS} file, got another one; save it as one")
        if width * height > largest_pixels:
            raise SourceError(
                f"picture: expected at most {largest_pixels:,} pixels, got {width:,} x {height:,}; shrink it"
            )
        pixels = image.read(upload, LARGEST)
    except SourceError as error:
        raise SourceError(str(error).replace(str(upload), "picture")) from error
    frame = Frame(pixels, 0, Fraction(1, 25))
    data = PictureEncoder("png", {}, "picture").encode(frame)
    try:
        png.write_bytes(data)
    except OSError as error:
        raise _Unwritten(error.errno, error.strerror) from error
    return frame.size


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
