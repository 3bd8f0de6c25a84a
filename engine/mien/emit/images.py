"""Pictures: a numbered sequence in a folder or by a pattern, or one still."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mien.emit import target
from mien.emit.credit import tags
from mien.emit.ending import Ending
from mien.emit.picture import ENDINGS, PictureEncoder
from mien.emit.sink import SinkSettings
from mien.errors import SinkError
from mien.frame import Frame
from mien.sound import Sound

_NUMBER = re.compile(r"%(?:0?(\d*))d")
_IN_FOLDER = "%05d.png"


class StillSink(Ending):
    """One picture in a file, written beside its place and renamed. Sound is dropped."""

    def __init__(self, path: Path, settings: SinkSettings) -> None:
        """Check the place.

        Raises:
            SinkError: it cannot be written.
        """
        self._path = path
        self._name = str(path)
        target.need_file_place(path, self._name)
        self._encoder = PictureEncoder(ENDINGS[path.suffix.lower()], tags(settings.metadata), self._name)
        self._part = target.beside(path)
        self._written = False

    def write(self, frame: Frame) -> None:
        """Encode the picture.

        Raises:
            SinkError: it is the second one, or the file cannot be written.
        """
        if self._written:
            raise SinkError(
                f"{self._name}: expected one picture, got more; name a video (.mp4) or a pattern such as %05d.png"
            )
        with target.told(self._name):
            self._part.write_bytes(self._encoder.encode(frame))
        self._written = True

    def write_sound(self, sound: Sound) -> None:
        """Drop it."""

    def finish(self) -> None:
        if not self._written:
            raise SinkError(f"{self._name}: expected one picture to write, got none; check the source")
        with target.told(self._name):
            target.replace(self._part, self._path)

    def discard(self) -> None:
        target.remove(self._part)


class SequenceSink(Ending):
    """Numbered pictures from 1 on, written into a hidden folder and moved when all are there. Sound is dropped.

    A folder that does not exist is made; in one that does, no file is ever replaced.
    """

    def __init__(self, path: Path, settings: SinkSettings) -> None:
        """Check the place.

        Args:
            path: a folder, or a pattern with the number's place in the file's name, such as `shots/%04d.jpg`.

        Raises:
            SinkError: it cannot be written, or holds such pictures already.
        """
        self._name = str(path)
        pattern = path.name if _NUMBER.search(path.name) else None
        self._folder = path.parent if pattern is not None else path
        self._pattern = pattern or _IN_FOLDER
        ending = Path(self._pattern).suffix.lower()
        if ending not in ENDINGS:
            raise SinkError(f"{self._name}: expected pictures as .png or .jpg, got {ending!r}; change the ending")
        self._check_folder(pattern is not None)
        self._encoder = PictureEncoder(ENDINGS[ending], tags(settings.metadata), self._name)
        self._part = target.beside(self._folder.absolute())
        with target.told(self._name):
            self._part.mkdir()
        self._count = 0

    def write(self, frame: Frame) -> None:
        """Encode the next picture.

        Raises:
            SinkError: it cannot be written.
        """
        with target.told(self._name):
            (self._part / self._file(self._count + 1)).write_bytes(self._encoder.encode(frame))
        self._count += 1

    def write_sound(self, sound: Sound) -> None:
        """Drop it."""

    def finish(self) -> None:
        if self._count == 0:
            raise SinkError(f"{self._name}: expected at least one picture to write, got none; check the source")
        with target.told(self._name):
            if not self._folder.exists():
                os.rename(self._part, self._folder)
                return
            self._move_all()
            self._part.rmdir()

    def discard(self) -> None:
        target.remove(self._part)

    def _check_folder(self, must_exist: bool) -> None:
        if must_exist or self._folder.exists():
            target.need_folder(self._folder, self._name)
            self._need_free()
        target.need_folder(self._folder.absolute().parent, self._name)

    def _need_free(self) -> None:
        match = _NUMBER.search(self._pattern)
        assert match is not None
        before, after = self._pattern[: match.start()], self._pattern[match.end() :]
        fits = re.compile(re.escape(before) + r"\d+" + re.escape(after))
        taken = next((entry.name for entry in self._folder.iterdir() if fits.fullmatch(entry.name)), None)
        if taken is not None:
            raise SinkError(
                f"{self._name}: expected a folder without pictures of such names, got {taken!r} in it; "
                "choose another folder or move them away"
            )

    def _move_all(self) -> None:
        moved: list[Path] = []
        try:
            for number in range(1, self._count + 1):
                place = self._folder / self._file(number)
                os.link(self._part / place.name, place)  # unlike a rename it never replaces
                moved.append(place)
        except OSError:
            for place in moved:
                place.unlink()
            raise
        for place in moved:
            (self._part / place.name).unlink()

    def _file(self, number: int) -> str:
        return _NUMBER.sub(lambda match: f"{number:0{int(match.group(1) or 0)}d}", self._pattern, count=1)
