"""What is read, and what is written besides, survives: refused before anything is made."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mien import bundles
from mien.config import WARP, ReenactSettings
from mien.errors import SinkError
from mien.places import need_apart

READ, TAKEN = "another file than those that are read", "a file of its own, got that of "
PLAIN = ReenactSettings(model=WARP)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a portrait, a background, frames of a driver and an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("me.jpg", "wall.jpg", "fr/00001.png", "fr/00002.png", "fr/notes.txt", "else/frame.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / "fr/00003.png").symlink_to(tmp_path / "else/frame.png")
    (tmp_path / "linked").symlink_to("fr")
    os.link(tmp_path / "me.jpg", tmp_path / "hard.jpg")
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("read", "outputs"),
    [
        ("me.jpg", ["me.jpg", "empty/../me.jpg", "hard.jpg"]),
        ("fr", ["fr/00002.png", "linked/00002.png", "else/frame.png", "fr/new.png", "fr/%05d.png", "fr/x%d.jpg", "fr"]),
        ("fr/%05d.png", ["fr/00002.png", "fr/00009.png", "else/frame.png", "fr/%05d.png", "linked/%d.png", "fr"]),
        ("fr/*.png", ["fr/00002.png", "fr/sheet.png", "linked/%03d.png"]),
        ("f?/0000[12].png", ["linked/00001.png"]),
        ("new.jpg", ["new.jpg", "empty/../new.jpg"]),
    ],
)
def test_what_is_read_is_no_output(folder: Path, read: str, outputs: list[str]) -> None:
    for output in outputs:
        with pytest.raises(SinkError, match=READ):
            need_apart([], [read], sink=output, settings=PLAIN)
        if "%" not in output and output != "fr":
            with pytest.raises(SinkError, match=READ):
                need_apart([output], ["tcp://127.0.0.1:9/x", read], sink="null")


@pytest.mark.parametrize(
    ("read", "outputs"),
    [
        ("me.jpg", ["you.jpg", "fr/me.jpg", "empty/%05d.png", "empty", "%05d.jpg", "-", "window", "null"]),
        ("fr", ["fr/notes.txt", "fr/out.mp4", "empty/00001.png", "00001.png", "empty", "%05d.png"]),
        ("fr/%05d.png", ["fr/1.png", "fr/new.png", "fr/00001.jpg", "fr/a%05d.png"]),
        ("fr/*.jpg", ["fr/new.jpg"]),
        ("camera:0", ["virtual"]),
        ("-", ["-"]),
        ("/dev/null", ["/dev/null"]),
    ],
)
def test_what_stays_apart_is_taken(folder: Path, read: str, outputs: list[str]) -> None:
    for output in outputs:
        need_apart([], [read], sink=output, settings=PLAIN)


@pytest.mark.parametrize("background", ["wall.jpg", "empty/../wall.jpg"])
def test_the_background_is_read(folder: Path, background: str) -> None:
    settings = ReenactSettings(model=WARP, background=background)
    with pytest.raises(SinkError, match=READ):
        need_apart(["wall.jpg"], ["me.jpg"], settings=settings)
    need_apart(["white"], ["me.jpg"], settings=ReenactSettings(model=WARP, background="white"))


def test_the_files_of_the_model_are_read(folder: Path) -> None:
    bundle = bundles.find(ReenactSettings().model)
    linked = folder / "bundle"
    linked.symlink_to(bundle)
    for model in (ReenactSettings().model, "bundle"):
        for name in ("manifest.toml", "generator.onnx"):
            with pytest.raises(SinkError, match=READ):
                need_apart([linked / name], ["me.jpg"], settings=ReenactSettings(model=model))
        need_apart([linked / "out.json"], ["me.jpg"], settings=ReenactSettings(model=model))
    need_apart(["out.json"], ["me.jpg"], settings=ReenactSettings(model="not here"))


@pytest.mark.parametrize(
    ("sink", "outputs", "whose"),
    [
        ("out.mp4", ["empty/../out.mp4"], "--output"),
        ("empty/%05d.png", ["empty/00003.png"], "--output"),
        ("empty/%05d.png", ["empty/1234567.png"], "--output"),
        ("empty", ["empty/00003.png"], "--output"),
        ("out.mp4", ["a.json", "fr/../a.json"], "another output"),
        ("seq", ["seq", "empty/../seq", "seq/"], "--output"),
        ("seq/", ["seq"], "--output"),
        ("seq/%05d.png", ["seq"], "--output"),
    ],
)
def test_each_output_has_files_of_its_own(folder: Path, sink: str, outputs: list[str], whose: str) -> None:
    with pytest.raises(SinkError, match=TAKEN + whose):
        need_apart(outputs, ["me.jpg"], sink=sink, settings=PLAIN)


@pytest.mark.parametrize(("sink", "output"), [("one/out.mp4", "two/out.mp4"), ("one/seq", "two/seq")])
def test_one_folder_by_two_paths(folder: Path, monkeypatch: pytest.MonkeyPatch, sink: str, output: str) -> None:
    """As where a folder is mounted at a second place: what the system says of both is the same."""
    (folder / "one").mkdir()
    (folder / "two").mkdir()
    shown, lstat = folder / "one", os.lstat

    def bound(path: str | os.PathLike[str], **how: bool) -> os.stat_result:
        return lstat(shown if os.path.abspath(os.fspath(path)) == str(folder / "two") else path, **how)

    monkeypatch.setattr("mien.machine.atomic.os.lstat", bound)
    with pytest.raises(SinkError, match=TAKEN):
        need_apart([output], ["me.jpg"], sink=sink, settings=PLAIN)


@pytest.mark.parametrize(
    ("sink", "output"),
    [
        ("empty/%05d.png", "empty/3.png"),
        ("empty/%05d.png", "empty/s.json"),
        ("null", "null"),
        ("/dev/null", "/dev/null"),
    ],
)
def test_outputs_that_stay_apart_are_taken(folder: Path, sink: str, output: str) -> None:
    need_apart([output], ["me.jpg"], sink=sink, settings=PLAIN)


def test_the_commands_refuse_before_the_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mien import cli

    def unwanted(*_: object, **__: object) -> None:
        raise AssertionError("began")

    monkeypatch.setattr("mien.api.prepare", unwanted)
    monkeypatch.setattr("mien.live.session.prepare", unwanted)
    before = contents(folder)
    reenact = ["reenact", "me.jpg", "--model", WARP, "--driver", "fr"]
    live = ["live", "me.jpg", "--model", WARP, "--camera", "fr", "--output", "null"]
    for given in (
        [*reenact, "--background", "wall.jpg", "--output", "x.mp4", "--sheet", "wall.jpg"],
        [*reenact, "--background", "wall.jpg", "--output", "wall.jpg"],
        [*reenact, "--output", "x.mp4", "--json", "fr/00002.png"],
        [*reenact, "--output", "fr/00002.png", "--duration", "0.04"],
        [*reenact, "--output", "fr/%05d.png"],
        [*reenact, "--output", "empty/%05d.png", "--json", "empty/00003.png"],
        [*live, "--json", "fr/00001.png"],
        [*live, "--background", "wall.jpg", "--json", "wall.jpg"],
        [*live, "--next", "wall.jpg", "--json", "wall.jpg"],
    ):
        assert cli.main(given) == 2, given
        assert "choose another name" in capsys.readouterr().err
    assert contents(folder) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("written", [lambda name: name, Path])
def test_paths_are_taken_as_names_are(folder: Path, written: Callable[[str], str | Path]) -> None:
    with pytest.raises(SinkError, match=READ):
        need_apart([], [written("fr")], sink=written("fr/00002.png"))
