"""Portraits of the server: samples and uploads, each upload with its consent note."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mien import samples
from mien.capture import image
from mien.errors import FaceError, MienError, SourceError
from mien.live.session import LARGEST
from mien.live.shared import Shared
from mien.machine import outputs
from mien.machine.atomic import write_atomically
from mien.machine.folders import temporary_folder
from mien.machine.reading import read_regular
from mien.pipeline.worker import in_thread
from mien.provenance import hash_file
from mien.serve import fields
from mien.serve.decoding import decoded
from mien.serve.refusal import Refusal, later, missing
from mien.serve.settings import Limits


@dataclass(frozen=True, slots=True)
class Entry:
    """A portrait that a session can show."""

    id: str
    name: str
    sample: bool
    width: int
    height: int
    consent: str | None
    """Who is seen, and that they agree, in the words of whoever uploaded it; None for samples, which are of nobody."""
    path: Path
    sha256: str
    """Of the picture's file."""

    def told(self) -> fields.Portrait:
        """PORTRAIT of the API."""
        return fields.Portrait(
            id=self.id,
            name=self.name,
            sample=self.sample,
            width=self.width,
            height=self.height,
            picture=f"/api/v1/portraits/{self.id}/picture",
            consent=self.consent,
        )


class Portraits:
    """Lives on the event loop, whatever takes time beside it; ids are made here, no client names a file."""

    def __init__(self, folder: Path, limits: Limits, shared: Shared) -> None:
        self._folder = folder
        self._limits = limits
        self._shared = shared
        self._entries: dict[str, Entry] = {}
        self._decoding = asyncio.Semaphore(1)
        self._waiting = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, folder: Path | None, limits: Limits, shared: Shared) -> AsyncIterator[Self]:
        """Those of the package and of `folder`; without one, uploads are gone on leaving.

        Raises:
            SinkError: the folder cannot be made or written to.
            SettingError: there is no place for a temporary one.
        """
        with contextlib.ExitStack() as stack:
            kept = folder or stack.enter_context(temporary_folder("--portraits or TMPDIR names one"))
            portraits = cls(kept, limits, shared)
            await in_thread("mien-portraits", portraits._read)
            yield portraits

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Samples first, then uploads from old to new."""
        return tuple(self._entries.values())

    def find(self, id: str | None) -> Entry:
        """The portrait with this id; without one the first sample.

        Raises:
            Refusal: there is none.
        """
        if id is None:
            return next(iter(self._entries.values()))
        entry = self._entries.get(id)
        if entry is None:
            raise missing(f"portrait {id[:40]!r}", "GET /api/v1/portraits lists them")
        return entry

    @contextlib.contextmanager
    def receiving(self) -> Iterator[Path]:
        """Where an upload is written to while it comes; it is gone on leaving.

        Raises:
            Refusal: too many portraits are kept (409), or too many uploads wait (503).
        """
        if sum(not entry.sample for entry in self._entries.values()) >= self._limits.portraits:
            raise Refusal(409, f"portraits: expected at most {self._limits.portraits}, got one more; delete some")
        if self._waiting >= self._limits.decodings:
            raise later(503, "upload: expected room for one more, got none; come again", 3)
        path = self._folder / f".{secrets.token_hex(8)}.upload"
        self._waiting += 1
        try:
            yield path
        finally:
            self._waiting -= 1
            path.unlink(missing_ok=True)

    async def add(self, upload: Path, name: str, consent: str) -> Entry:
        """Decode an upload, look for its face, and keep it.

        Raises:
            Refusal: it is no picture that can be used (422).
        """
        id = secrets.token_hex(8)
        path = self._folder / f"{id}.png"
        part = self._folder / f".{id}.png"
        try:
            async with self._decoding:
                width, height = await decoded(upload, part, self._limits.upload_pixels)
                sha256 = await in_thread("mien-portrait", lambda: hash_file(part))
                entry = Entry(id, name, False, width, height, consent, path, sha256)
                await in_thread("mien-portrait", lambda: self._keep(entry, part))
        except (SourceError, FaceError) as error:
            raise Refusal(422, _told(error, path)) from error
        finally:
            part.unlink(missing_ok=True)
        self._entries[id] = entry
        return entry

    def remove(self, id: str) -> None:
        """Delete an upload; sessions that show it go on.

        Raises:
            Refusal: there is none, or it is a sample.
        """
        entry = self.find(id)
        if entry.sample:
            raise Refusal(403, f"portrait {id}: expected an uploaded one, got a sample; samples stay")
        del self._entries[id]
        entry.path.unlink(missing_ok=True)
        entry.path.with_suffix(".json").unlink(missing_ok=True)
        self._shared.forget(str(entry.path))

    def _keep(self, entry: Entry, part: Path) -> None:
        """Give the picture its name if it has a face; its record first, so that no picture is without one."""
        record = entry.path.with_suffix(".json")
        try:
            write_atomically(record, json.dumps({"name": entry.name, "consent": entry.consent}).encode())
            part.rename(entry.path)
            self._shared.prepare(str(entry.path), size=None, largest=LARGEST)
        except BaseException:
            entry.path.unlink(missing_ok=True)
            record.unlink(missing_ok=True)
            raise

    def _read(self) -> None:
        for name, path in samples.portraits().items():
            self._entries[name] = Entry(name, name.capitalize(), True, *_size(path), None, path, hash_file(path))
        with outputs.as_sink_errors(str(self._folder)), contextlib.suppress(FileExistsError):
            self._folder.mkdir(parents=True, exist_ok=True)
        outputs.need_folder(self._folder, "portraits")
        for record in sorted(self._folder.glob("*.json"), key=_changed_at):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError, MienError):  # not ours
                told, picture = json.loads(read_regular(record)), record.with_suffix(".png")
                name, consent, sha256 = str(told["name"]), str(told["consent"]), hash_file(picture)
                (name + consent).encode()  # half of a surrogate pair, which no answer could carry, is a ValueError
                entry = Entry(record.stem, name, False, *_size(picture), consent, picture, sha256)
                self._entries.setdefault(entry.id, entry)


def _changed_at(record: Path) -> float:
    """When it was; what is there by name alone, such as a link to nothing, comes first."""
    try:
        return record.stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> tuple[int, int]:
    height, width = image.read(path).shape[:2]
    return width, height


def _told(error: MienError, path: Path) -> str:
    return str(error).replace(str(path), "picture")
