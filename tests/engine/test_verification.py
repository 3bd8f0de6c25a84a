"""What `mien verify` says of files that mien made, of others, and of some that were changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from mien import samples
from mien.cli import main
from mien.credentials.reading import _told

MADE = ("reenact", "sample:mira", "--driver", "sample:driver", "--duration", "0.2", "--model", "warp", "--size", "320")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("made") / "made.mp4"
    assert main([*MADE, "--quiet", "--output", str(output)]) == 0
    return output


def verified(capsys: pytest.CaptureFixture[str], path: Path) -> tuple[int, list[str]]:
    code = main(["verify", str(path)])
    return code, capsys.readouterr().out.splitlines()


def test_a_video_says_which_run_made_it(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = verified(capsys, made)
    assert code == 0
    session = lines[0].rpartition("session ")[2].partition(";")[0]
    assert lines[0].startswith("content credentials: made with mien")
    assert lines[0].endswith("unchanged since it was signed by mien on this machine")
    assert lines[1].startswith(f"invisible mark: session {session}; chance of a false alarm below 1e-")
    assert lines[2] == "made with mien, as its signer says"
    assert main(["verify", str(made), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["invisible_mark"]["session"] == told["metadata"]["session"] == session
    assert told["content_credentials"]["session"] == session


def test_words_are_not_needed_and_not_enough(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = tmp_path / "bare.png"
    assert main([*MADE, "--no-mark", "--quiet", "--output", str(tmp_path / "%d.png")]) == 0
    with Image.open(tmp_path / "1.png") as picture:
        Image.frombytes("RGB", picture.size, picture.convert("RGB").tobytes()).save(bare)
    capsys.readouterr()
    code, lines = verified(capsys, bare)
    assert (code, lines[0]) == (0, "metadata: none of mien")
    words = tmp_path / "words.mp4"
    assert main([*MADE, "--no-invisible-mark", "--no-credentials", "--quiet", "--output", str(words)]) == 0
    capsys.readouterr()
    code, lines = verified(capsys, words)
    assert code == 0
    assert lines[1].startswith("invisible mark: none in ")
    assert lines[2] == "its metadata says that mien made it; anybody can write metadata"


def test_parts_of_different_runs_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = tmp_path / "changed.mp4"
    assert main([*MADE, "--no-credentials", "--quiet", "--output", str(changed)]) == 0
    _, lines = verified(capsys, changed)
    session = lines[0].rpartition("session ")[2]
    changed.write_bytes(changed.read_bytes().replace(f"mien_session={session}".encode(), b"mien_session=0123456789a"))
    code, lines = verified(capsys, changed)
    assert code == 1
    assert lines[2] == "its parts name different runs: one of them was changed"


def test_a_file_that_was_changed_is_told(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed, data = tmp_path / "changed.mp4", bytearray(made.read_bytes())
    data[-100] ^= 1  # in the last picture
    changed.write_bytes(data)
    code, lines = verified(capsys, changed)
    assert code == 1
    assert "CHANGED since it was signed (assertion.bmffHash.mismatch)" in lines[0]
    assert lines[2] == "changed since it was signed: do not rely on what it says"


def test_a_certificate_that_has_expired_since_is_no_change_of_the_file(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the library said of a file three seconds after its certificate had ended, where the file was as signed."""
    told = _told(made, ())
    assert told is not None
    codes = ["signingCredential.untrusted", "signingCredential.expired"]
    told["validation_status"] = [{"code": code} for code in codes]
    monkeypatch.setattr("mien.credentials.reading._told", lambda path, trusted: told)
    code, lines = verified(capsys, made)
    assert code == 0
    assert "unchanged since it was signed by 'mien " in lines[0]
    assert lines[0].endswith("', whose certificate has expired")


def test_credentials_that_cannot_be_read_are_told_as_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.png"
    assert main(["morph", "sample:mira", "sample:teo", "--size", "128", "--quiet", "--output", str(broken)]) == 0
    broken.write_bytes(broken.read_bytes().replace(b"jumb", b"junk"))
    code, lines = verified(capsys, broken)
    assert code == 1
    assert lines[0] == "content credentials: cannot be read: they are damaged, or the file is"
    assert lines[2] == "its content credentials cannot be read: do not rely on what it says"
    assert main(["verify", str(broken), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["broken"], told["changed"]) == (True, False)


def test_what_mien_did_not_make_proves_nothing_and_what_cannot_be_read_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = verified(capsys, samples.portraits()["teo"])
    assert (code, lines[2]) == (1, "nothing found, which proves nothing: marks can be taken away")
    assert main(["verify", str(tmp_path / "absent.mp4")]) == 2
    assert "absent.mp4: expected a file" in capsys.readouterr().err
    assert main(["verify", ""]) == 2
