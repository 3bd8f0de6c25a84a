"""Atomic file writing: a file is written under a hidden name in the same folder, then renamed.

This applies to regular files. A device, a pipe or a descriptor of this process (`/dev/stdout`, `/dev/fd/N`) is
written to, never replaced. Links are followed: their target is replaced.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from mien.machine.outlet import Outlet, opened_within

_AT_ONCE: Final = 1 << 20
"""Block size in bytes for copying."""
_MOST_LINKS: Final = 40
"""Limit on symbolic links, the same as Linux's."""
_DIGITS: Final = 10
"""Of more a number is none of a descriptor's."""
_LEGIBLE: Final = 40
"""Characters of a file's name that its hidden one begins with; all of them may be too long with what is added."""
_ACL: Final = "system.posix_acl_access"
NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""Errors of file systems without hard links, such as FAT."""
_FIXED: Final = frozenset({errno.EBUSY, errno.EPERM})
"""Errors of a rename over a file that can be written but not replaced: a mount point, another user's file in /tmp."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Final location of an output, with links resolved."""

    path: Path
    descriptor: int | None
    """That the path stands for, of this process."""
    facts: os.stat_result | None
    """Of what is there; None: nothing."""

    @property
    def special(self) -> bool:
        """Whether it is written into: neither a regular file nor a folder, or a descriptor, whatever that leads to."""
        if self.descriptor is not None:
            return True
        return self.facts is not None and not (stat.S_ISREG(self.facts.st_mode) or self.is_folder)

    @property
    def is_folder(self) -> bool:
        return self.facts is not None and stat.S_ISDIR(self.facts.st_mode)

    def open(self, *, patience: float | None = None) -> int:
        """A descriptor, the caller's own, that writes into what is there.

        Args:
            patience: seconds to wait for whoever opens a pipe to read it; None: no limit.

        Raises:
            OSError: it may not be written, is a closed descriptor, or a pipe that nobody reads.
        """
        if self.descriptor is None:
            return opened_within(self.path, patience)
        if not _may_write(self.descriptor):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), str(self.path))
        return os.dup(self.descriptor)


def destination_of(path: str | os.PathLike[str]) -> Destination:
    """The location that a path leads to, which need not exist.

    Raises:
        OSError: a folder on the way cannot be entered, the name is too long, or links lead in a circle.
        ValueError: no file can have such a name.
    """
    followed = os.fspath(path)
    if not os.path.isabs(followed):
        followed = os.path.join(os.getcwd(), followed)
    own = f"/proc/{os.getpid()}/fd"
    for _ in range(_MOST_LINKS):
        folder, name = os.path.split(followed.rstrip(os.sep))
        if name in ("", os.curdir, os.pardir):
            return Destination(Path(os.path.realpath(followed)), None, os.stat(followed))
        folder = os.path.realpath(folder)
        followed = os.path.join(folder, name)
        if folder == own and name.isdecimal() and len(name) < _DIGITS:
            return Destination(Path(followed), int(name), os.fstat(int(name)))
        try:
            facts = os.lstat(followed)
        except FileNotFoundError:
            return Destination(Path(followed), None, None)
        if not stat.S_ISLNK(facts.st_mode):
            return Destination(Path(followed), None, facts)
        followed = os.path.join(folder, os.readlink(followed))
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))


def standard_output() -> Destination:
    """What this process's standard output leads to.

    Raises:
        OSError: it is closed.
    """
    number = sys.stdout.fileno()
    return Destination(Path("/dev/stdout"), number, os.fstat(number))


class Draft:
    """A hidden file or folder beside its place, until it is kept or dropped.

    It is made with the mode, the owner and the access list of the file that it will replace, where the user may give
    them; a new one follows the umask.
    """

    def __init__(self, place: Path, *, folder: bool = False, private: bool = False) -> None:
        """Make it.

        Args:
            place: its final path, whose links are followed already.
            private: whether nobody but its owner may read a new file.

        Raises:
            OSError: nothing can be made there.
        """
        self._folder, parent = _held(place.parent)
        self._place = parent / place.name
        self._mode: int | None = None
        self.path = parent / f".{place.name[:_LEGIBLE]}.{secrets.token_hex(4)}.part"
        """Where to write; it leads to the folder by a descriptor, whose name may change meanwhile."""
        _drafts.add(self)
        try:
            if folder:
                self._mode = _make_folder(self.path)
            else:
                self._mode = _make(self.path, self._place, 0o600 if private else 0o666)
        except BaseException:
            self.drop()
            raise

    def keep(self) -> None:
        """Give it its name in one step, replacing what was there; a file's bytes are on the disk before.

        Raises:
            OSError: it cannot have the name, and what was there still is; or nobody would find it, since its disk was
                unmounted meanwhile, or another one mounted over it.
        """
        if self._folder is not None and _is_detached(self._folder):
            raise OSError(errno.ENODEV, "its disk was unmounted meanwhile", str(self._place))
        is_folder = self.path.is_dir()
        if not is_folder:
            _sync(self.path)
        if self._mode is not None:
            self.path.chmod(self._mode)
        if is_folder:
            os.rename(self.path, self._place)
        else:
            try:
                os.replace(self.path, self._place)
            except OSError as error:
                if error.errno not in _FIXED or not os.access(self._place, os.W_OK):
                    raise
                _overwrite(self.path, self._place)
                self.path.unlink()
        self._let_go()

    def drop(self) -> None:
        """Remove it and its contents; does nothing after `keep`."""
        if self not in _drafts:
            return
        if self.path.is_dir():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                self.path.unlink()
        self._let_go()

    def _let_go(self) -> None:
        _drafts.discard(self)
        folder, self._folder = self._folder, None
        if folder is not None:
            os.close(folder)


_drafts: set[Draft] = set()
"""All drafts of this process, for `drop_drafts`: a signal at any moment must find every one of them."""


def drop_drafts() -> None:
    """Remove all unfinished drafts; for a program that ends early."""
    for draft in list(_drafts):
        draft.drop()


@contextlib.contextmanager
def written(path: Path, *, patience: float | None = None, private: bool = False) -> Iterator[BinaryIO]:
    """A file to write what will be at `path`, whole, when the block ends, and is gone when it fails.

    Args:
        patience: seconds to wait for whoever reads a pipe, to open it and for each part of it; None: no limit. An
            interrupt ends the wait in any case.
        private: see `Draft`.

    Raises:
        OSError: it cannot be written, or is a pipe that nobody reads; what was there before still is.
        ValueError: no file can have such a name.
    """
    place = destination_of(path)
    if place.special:
        with contextlib.closing(Outlet(place.open(patience=patience), patience=patience)) as outlet:
            yield cast(BinaryIO, _Poured(outlet))
        return
    if place.is_folder:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    draft = Draft(place.path, private=private)
    try:
        with draft.path.open("wb") as file:
            yield file
        draft.keep()
    finally:
        draft.drop()


class _Poured(io.RawIOBase):
    """An outlet as a file, without a buffer, whose end would be written after an interrupt."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._outlet.write(memoryview(data).cast("B"))


def write_atomically(path: Path, content: bytes, *, patience: float | None = None, private: bool = False) -> None:
    """Give `path` this content in one step, on the disk before it has the name; its folder must be there. Arguments as
    `written`.

    Raises:
        OSError, ValueError: as `written`.
    """
    with written(path, patience=patience, private=private) as file:
        file.write(content)


def _held(folder: Path) -> tuple[int | None, Path]:
    """A descriptor of a folder, and a path to it by that; None and the folder's own path where there are none such."""
    if not hasattr(os, "O_PATH"):
        return None, folder
    held = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    by_descriptor = Path(f"/proc/self/fd/{held}")
    if not by_descriptor.exists():
        os.close(held)
        return None, folder
    return held, by_descriptor


def _is_detached(folder: int) -> bool:
    """Whether no path leads to a folder's file system any more, as after `umount --lazy` under it."""
    try:
        return os.stat(os.readlink(f"/proc/self/fd/{folder}")).st_dev != os.fstat(folder).st_dev
    except OSError:  # its present path may not be looked at, or it has none; then writing says why
        return False


def _make(path: Path, place: Path, mode: int) -> int | None:
    """An empty new file that nobody may read who may not read what it replaces; the mode that it is to have then.

    Its owner may read and write it until then, whatever the umask takes away.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        old = place.stat()
    except FileNotFoundError:
        descriptor = os.open(path, flags, mode)
        try:
            mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
            os.fchmod(descriptor, mode | stat.S_IRUSR | stat.S_IWUSR)
        finally:
            os.close(descriptor)
        return mode
    descriptor = os.open(path, flags, 0o600)
    try:
        for owner in ((old.st_uid, old.st_gid), (-1, old.st_gid)):
            with contextlib.suppress(OSError):
                os.fchown(descriptor, *owner)
                break
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode) | stat.S_IRUSR | stat.S_IWUSR)
        with contextlib.suppress(OSError, AttributeError):  # there is none, or not on this system
            os.setxattr(descriptor, _ACL, os.getxattr(place, _ACL))
    finally:
        os.close(descriptor)
    return stat.S_IMODE(old.st_mode)


def _make_folder(path: Path) -> int:
    """A new folder that its owner may use, whatever the umask takes away; the mode that it is to have at the end."""
    path.mkdir()
    mode = stat.S_IMODE(path.stat().st_mode)
    path.chmod(mode | stat.S_IRWXU)
    return mode


def _overwrite(source: Path, place: Path) -> None:
    """Write a file's bytes into another one, for which room is made first: what was there is not lost for want of it.

    An interrupt waits until it is done.

    Raises:
        OSError: there is no room; what was there still is.
    """
    with source.open("rb") as new, place.open("r+b", buffering=0) as old:
        size, before = os.fstat(new.fileno()).st_size, os.fstat(old.fileno()).st_size
        try:
            if size:
                os.posix_fallocate(old.fileno(), 0, size)
        except OSError:
            old.truncate(before)
            raise
        interrupt: KeyboardInterrupt | None = None
        while (at := old.tell()) < size:
            try:
                new.seek(at)
                old.write(new.read(_AT_ONCE))
            except KeyboardInterrupt as error:
                interrupt = error
        old.truncate(size)
        os.fsync(old.fileno())
    if interrupt is not None:
        raise interrupt


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _may_write(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # not on this system
        return True
    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
