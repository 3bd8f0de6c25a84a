from __future__ import annotations

import io
from pathlib import Path

import pytest

from mien import bundles, cli
from mien.commands.models import DownloadLine
from mien.errors import ModelError
from mien.manifest import MANIFEST, Bundle


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(bundles, "PACKAGED", tmp_path / "packaged")


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert cli.main(["models", *arguments]) == code
    out, err = capsys.readouterr()
    return err if code else out


def test_models_come_are_listed_and_go(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys).splitlines() == ["warp  moves the portrait's own pixels; no network, runs everywhere"]
    assert said(capsys, "add", str(bundle.folder)).startswith("added tiny (oneshot-live xs, licence CC0-1.0) in /")
    assert said(capsys) == said(capsys, "list")
    line = said(capsys, "list").splitlines()[1]
    assert line.startswith("tiny  oneshot-live xs, 64 px, fp32, int8, fp16, version 1; licence CC0-1.0; /")
    assert said(capsys, "remove", "tiny").startswith("removed tiny from /")
    assert len(said(capsys).splitlines()) == 1


def test_a_packaged_model_is_listed_as_such(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bundles, "PACKAGED", bundle.folder.parent)
    assert said(capsys).splitlines()[1].endswith("; packaged")


def test_a_broken_model_is_listed_with_its_reason(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bundles, "PACKAGED", bundle.folder.parent)
    (bundle.folder / MANIFEST).write_text("format = 9")
    assert "tiny  broken: " in said(capsys)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add", "nowhere"), "mien: nowhere: expected a model bundle"),
        (("add", "nowhere", "--sha256", "12"), "mien: --sha256 must be 64 hexadecimal digits, got '12'"),
        (("remove", "warp"), "mien: model warp: expected one that was added"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_2(
    arguments: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(capsys, *arguments, code=2)
    assert told.startswith(reason)
    assert told.count("\n") == 1


def test_debug_shows_the_error_itself() -> None:
    with pytest.raises(ModelError, match="nowhere"):
        cli.main(["models", "add", "nowhere", "--debug"])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_download_is_told_on_one_line_of_a_terminal() -> None:
    out = Terminal()
    line = DownloadLine(out)
    for done in (10, 20, 3 << 20, 4 << 20):
        line(done, 8 << 20)
    line.clear()
    assert [text.strip() for text in out.getvalue().split("\r\x1b[2K")[1:]] == [
        "0 MiB of 8, 0 %",
        "3 MiB of 8, 37 %",
        "4 MiB of 8, 50 %",
        "",
    ]
    line(5 << 20, None)
    assert out.getvalue().endswith("5 MiB")
    DownloadLine(quiet := io.StringIO())(1 << 20, None)
    assert not quiet.getvalue()
