"""Whether what is written would replace, or come among, what is read or written besides: decided here, before the work.

Files are told apart by what they are (device and number), not by their names; those that are not there yet by their
path with every link followed.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mien.config import WARP, ReenactSettings
from mien.errors import ModelError, SinkError
from mien.machine.outputs import STANDARD_OUTPUT, identity
from mien.numbered import Numbered

_DIGITS = 12
"""That numbers of pictures have at most."""

Name = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Files:
    """Files that something reads or writes, there or not."""

    single: frozenset[object] = frozenset()
    """What they are, see `identity`."""
    names: frozenset[tuple[object, str]] = frozenset()
    """Folders and names of some of them."""
    kinds: Mapping[object, Callable[[str], bool]] = field(default_factory=dict)
    """Folders in which every file of such a name is one of them."""

    def meet(self, other: Files) -> bool:
        """Whether one file is, or would be, of both: it is the same, or has the same name in the same folder, which
        several paths may lead to."""
        apart = self.single.isdisjoint(other.single) and self.names.isdisjoint(other.names)
        return not apart or self._holds(other) or other._holds(self)

    def _holds(self, other: Files) -> bool:
        return any(folder in self.kinds and self.kinds[folder](name) for folder, name in other.names)


def need_apart(
    outputs: Iterable[Name], read: Iterable[Name], *, sink: Name | None = None, settings: ReenactSettings | None = None
) -> None:
    """Refuse outputs of which one would replace another one or what is read, or come among pictures that are read.

    Args:
        outputs: files.
        read: portraits, drivers: whatever `mien.capture.open` takes.
        sink: where frames go, see `mien.emit.open`.
        settings: whose background, model, drawn and second portrait are read, too.

    Raises:
        SinkError: one of them would.
    """
    inputs = [_read(os.fspath(name)) for name in read]
    if settings is not None:
        inputs.extend(_of_settings(settings))
    written = list[tuple[str, Files]]()
    wanted = [] if sink is None else [(sink, "--output", _written(os.fspath(sink)))]
    wanted.extend((name, "another output", _one(os.fspath(name))) for name in outputs)
    for name, what, files in wanted:
        if any(files.meet(other) for other in inputs):
            raise SinkError(f"{name}: expected another file than those that are read; choose another name")
        for whose, taken in written:
            if files.meet(taken):
                raise SinkError(f"{name}: expected a file of its own, got that of {whose}; choose another name")
        written.append((what, files))


def _written(sink: str) -> Files:
    """Files that a sink makes; none where it makes none."""
    from mien.emit.images import numbered
    from mien.emit.opening import is_sequence, is_written
    from mien.emit.stream import is_stream

    if is_stream(sink):
        return _one(sink)
    if not sink or not is_written(sink):
        return Files()
    if not is_sequence(sink):
        return _one(sink)
    folder, names = numbered(Path(sink))
    place = identity(folder)
    if not names.is_possible:  # and refused where it is opened
        return Files()
    some = (names.name(10**digits) for digits in range(_DIGITS))
    itself = _one(str(folder))  # which a file of its name would be in the way of
    made = frozenset((place, name) for name in some)
    return Files(itself.single, itself.names | made, kinds={place: names.fits})


def _read(name: str) -> Files:
    """Files that a source reads; none where it is live, or in a folder that is closed to us."""
    try:
        return _found(name)
    except PermissionError:  # told where it is opened
        return Files()


def _found(name: str) -> Files:
    if name == STANDARD_OUTPUT:
        return _standard_input()
    if os.path.isdir(name):
        from mien.capture.sequence import is_listed

        return _all(Path(name).glob("*"), {identity(name): is_listed}, is_listed)
    if os.path.lexists(name) or not ("%" in name or glob.has_magic(name)):
        is_device = os.path.exists(name) and not os.path.isfile(name)
        return Files() if is_device else _one(name)
    folder, last = os.path.split(name)
    numbers = Numbered.of(last)
    if numbers is not None:
        return _all(Path(folder).glob("*"), {identity(folder or os.curdir): numbers.fits}, numbers.fits)
    found = [Path(match) for match in glob.glob(name)]
    fits = re.compile(fnmatch.translate(last)).match
    folders = {identity(path.parent) for path in found}
    return _all(found, {folder: lambda name: fits(name) is not None for folder in folders})


def _of_settings(settings: ReenactSettings) -> Iterator[Files]:
    from mien.chain import background_picture

    picture = background_picture(settings.background)
    if picture is not None:
        yield _one(picture)
    if settings.style_picture is not None:
        yield _one(settings.style_picture)
    if settings.morph is not None:
        yield _one(settings.morph)
    if settings.model != WARP:
        from mien.bundles import files_of, find

        try:
            yield _all(files_of(find(settings.model)))
        except ModelError:
            return  # refused where it is read


def _one(name: str) -> Files:
    """A file; none where any number of users may share it, such as an address or /dev/null."""
    what = identity(name)
    if what is None or "\0" in name:
        return Files()
    path = os.path.realpath(name)
    return Files(frozenset({what}), frozenset({(identity(os.path.dirname(path)), os.path.basename(path))}))


def _all(
    paths: Iterable[Path],
    kinds: Mapping[object, Callable[[str], bool]] | None = None,
    fits: Callable[[str], bool] = lambda name: True,
) -> Files:
    """Those of `paths` that are there and whose names fit."""
    single, folders = set[object](), dict[Path, object]()
    names = set[tuple[object, str]]()
    for path in paths:
        if not fits(path.name):
            continue
        try:
            facts = path.stat()
        except OSError:
            continue
        single.add((facts.st_dev, facts.st_ino))
        names.add((folders.setdefault(path.parent, identity(path.parent)), path.name))
    return Files(frozenset(single), frozenset(names), kinds or {})


def _standard_input() -> Files:
    try:
        facts = os.fstat(0)
    except OSError:
        return Files()
    return Files(frozenset({(facts.st_dev, facts.st_ino)})) if stat.S_ISREG(facts.st_mode) else Files()
