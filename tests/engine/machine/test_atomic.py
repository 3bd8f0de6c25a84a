"""What is written whole or not at all, and what is written into."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from mien.machine.atomic import Draft, destination_of, drop_drafts, write_atomically, written

NEW = b"new, all of it"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    before = path.stat().st_ino
    write_atomically(path, NEW)
    assert path.read_bytes() == NEW
    assert path.stat().st_ino != before
    assert names(tmp_path) == ["a.json"]


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, NEW)
    reader.join(10)
    assert got == [NEW]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names(tmp_path) == ["pipe"]


def test_a_device_is_written_into() -> None:
    ours, theirs = os.openpty()
    device = Path(os.ttyname(theirs))
    assert destination_of(device).special
    write_atomically(device, NEW)
    assert os.read(ours, 100) == NEW
    assert stat.S_ISCHR(device.stat().st_mode)
    os.close(ours)
    os.close(theirs)


def test_a_descriptor_is_written_into_where_it_stands(tmp_path: Path) -> None:
    """As `command --json /dev/stdout > log`: the shell's file goes on being the shell's."""
    log, link = tmp_path / "log", tmp_path / "link"
    with log.open("wb", buffering=0) as file:
        file.write(b"before, ")
        link.symlink_to(f"/dev/fd/{file.fileno()}")
        write_atomically(Path(f"/proc/self/fd/{file.fileno()}"), b"one, ")
        write_atomically(link, b"two, ")
        file.write(b"after")
    assert log.read_bytes() == b"before, one, two, after"
    assert link.is_symlink()
    assert names(tmp_path) == ["link", "log"]


def test_a_descriptor_that_only_reads_or_is_closed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with (tmp_path / "a").open("rb") as file, pytest.raises(OSError, match="Bad file descriptor"):
        write_atomically(Path(f"/dev/fd/{file.fileno()}"), NEW)
    with pytest.raises(OSError, match="Bad file descriptor"):
        write_atomically(Path("/dev/fd/9999"), NEW)


@pytest.mark.parametrize("there", [True, False])
def test_links_keep_leading_to_what_is_replaced(tmp_path: Path, there: bool) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").mkdir()
    target, middle, link = tmp_path / "far/target", tmp_path / "far/middle", tmp_path / "near/link"
    if there:
        target.write_bytes(b"old")
    middle.symlink_to("target")
    link.symlink_to("../far/middle")
    write_atomically(link, NEW)
    assert target.read_bytes() == NEW
    assert (os.readlink(link), os.readlink(middle)) == ("../far/middle", "target")
    assert names(tmp_path / "near") == ["link"]
    assert names(tmp_path / "far") == ["middle", "target"]


def test_links_in_a_circle_and_impossible_names_are_errors(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        write_atomically(tmp_path / "a", NEW)
    with pytest.raises(ValueError, match="null"):
        write_atomically(tmp_path / "a\0b", NEW)
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path, NEW)
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o444])
def test_the_mode_of_a_file_that_is_replaced_is_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(mode)
    draft = Draft(path)
    assert stat.S_IMODE(draft.path.stat().st_mode) == mode | 0o600  # nobody else reads it earlier
    draft.drop()
    write_atomically(path, NEW)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("folder", [True, False])
def test_a_umask_that_takes_all_away_does_so_at_the_end(tmp_path: Path, folder: bool) -> None:
    before = os.umask(0o777)
    try:
        draft = Draft(tmp_path / "a", folder=folder)
        mode = stat.S_IMODE(draft.path.stat().st_mode)
        draft.keep()
    finally:
        os.umask(before)
    assert mode == (0o700 if folder else 0o600), "else only root could write what was made"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_of_a_file_that_is_replaced_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    os.chown(path, 12345, 23456)
    write_atomically(path, NEW)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


def test_the_longest_name_that_there_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 127)
    write_atomically(path, NEW)
    assert path.read_bytes() == NEW


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), written(path) as file:
        file.write(NEW)
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_a_file_that_may_be_written_but_not_replaced_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that is mounted into a container."""

    def replace(source: Path, target: Path) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    path = tmp_path / "a"
    path.write_bytes(b"old, and longer than what comes")
    before = path.stat().st_ino
    monkeypatch.setattr(os, "replace", replace)
    write_atomically(path, NEW)
    assert path.read_bytes() == NEW
    assert path.stat().st_ino == before
    assert names(tmp_path) == ["a"]


def test_whatever_was_begun_can_be_dropped(tmp_path: Path) -> None:
    Draft(tmp_path / "a")
    folder = Draft(tmp_path / "b", folder=True)
    (folder.path / "1.png").write_bytes(NEW)
    kept = Draft(tmp_path / "c")
    kept.keep()
    assert len(names(tmp_path)) == 3
    drop_drafts()
    assert names(tmp_path) == ["c"]


def test_a_file_that_cannot_be_replaced_is_kept_where_there_is_no_room(tmp_path: Path) -> None:
    """A bind mount: it is written into, and what was there is lost only once there is room for the new."""
    program = """
import subprocess, sys
from pathlib import Path
from mien.machine.atomic import write_atomically
folder = Path(sys.argv[1])
for command in ("mount -t tmpfs -o size=16k none small", "mount --bind small/kept out"):
    if command.startswith("mount --bind"):
        (folder / "small/kept").write_bytes(b"kept")
        (folder / "out").touch()
    subprocess.run(command.split(), cwd=folder, check=True)
try:
    write_atomically(folder / "out", bytes(100_000))
except OSError as error:
    print(error.errno, (folder / "out").read_bytes().decode())
write_atomically(folder / "out", b"new")
print((folder / "out").read_bytes().decode())
"""
    (tmp_path / "small").mkdir()
    assert _in_own_mounts(program, tmp_path) == [f"{errno.ENOSPC} kept", "new"]


def test_a_disk_that_is_unmounted_meanwhile_is_told(tmp_path: Path) -> None:
    program = """
import subprocess, sys
from pathlib import Path
from mien.machine.atomic import written
folder = Path(sys.argv[1])
subprocess.run("mount -t tmpfs none small".split(), cwd=folder, check=True)
try:
    with written(folder / "small/out") as file:
        file.write(b"new")
        subprocess.run("umount --lazy small".split(), cwd=folder, check=True)
except OSError as error:
    print(error.strerror)
with written(folder / "small/out") as file:
    (folder / "small").rename(folder / "renamed")
print(*(path.name for path in (folder / "renamed").iterdir()))
"""
    (tmp_path / "small").mkdir()
    assert _in_own_mounts(program, tmp_path) == ["its disk was unmounted meanwhile", "out"]


def _in_own_mounts(program: str, folder: Path) -> list[str]:
    """The lines that a program writes in a mount namespace of its own; a folder is its argument."""
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode
    ):
        pytest.skip("needs the right to make a mount namespace (root)")
    command = ["unshare", "--mount", sys.executable, "-c", program, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
