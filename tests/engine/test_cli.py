from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mien
from mien import cli
from mien.clock import ManualClock
from mien.config import Gains, ReenactSettings
from mien.errors import FaceError
from mien.stats import Statistics

REENACT = ["reenact", "a.jpg", "--driver", "clip.mp4", "--output", "out.mp4"]


@dataclass
class FakeApi:
    """Stands where `mien.api` is: keeps the call, or fails it."""

    error: BaseException | None = None
    call: dict[str, Any] = field(default_factory=dict)

    def render_file(
        self, pictures: list[str], driver: str, output: str, settings: ReenactSettings, **others: Any
    ) -> Statistics:
        self.call = {"pictures": pictures, "driver": driver, "output": output, "settings": settings, **others}
        statistics = Statistics(ManualClock())
        others["begun"](10, "warp")
        statistics.frames_out = 10
        statistics.warnings = ("clip.mp4: cut short",)
        others["progress"](statistics)
        if self.error is not None:
            raise self.error
        return statistics


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    fake, module = FakeApi(), ModuleType("mien.api")
    module.render_file = fake.render_file  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mien.api", module)
    monkeypatch.setattr(mien, "api", module, raising=False)
    return fake


def test_plain_call_takes_the_settings_as_they_are(api: FakeApi) -> None:
    assert cli.main(REENACT) == 0
    assert api.call["pictures"] == ["a.jpg"]
    assert (api.call["driver"], api.call["output"]) == ("clip.mp4", "out.mp4")
    assert api.call["settings"] == ReenactSettings()
    assert (api.call["start"], api.call["duration"], api.call["compare"], api.call["sheet"]) == (0.0, None, False, None)


def test_options_become_settings(api: FakeApi) -> None:
    options = "b.jpg --size 512 --start 1.5 --duration 2 --mouth none --motion absolute --face 1 --no-mark --smooth 0"
    gains = "--expression 1.2 --no-pose --eyes 0.5 --no-gaze --threads 2 --compare --sheet s.png"
    look = "--relax 0.5 --wrinkles 0"
    assert cli.main([*REENACT[:2], *options.split(), *gains.split(), *look.split(), *REENACT[2:]]) == 0
    settings = api.call["settings"]
    assert settings.motion.gains == Gains(expression=1.2, pose=0.0, eyes=0.5, gaze=0.0)
    assert (settings.size, settings.mouth, settings.motion.mode, settings.face) == (512, "none", "absolute", 1)
    assert (settings.mark, settings.smooth, settings.threads) == (False, 0.0, 2)
    assert (settings.relax, settings.wrinkles) == (0.5, 0.0)
    assert (api.call["start"], api.call["duration"], api.call["compare"]) == (1.5, 2.0, True)
    assert api.call["sheet"] == Path("s.png")
    assert api.call["pictures"] == ["a.jpg", "b.jpg"]


def test_summary_and_warnings_go_to_stderr(api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(REENACT)
    said = capsys.readouterr()
    assert said.out == ""
    assert "mien: warning: clip.mp4: cut short\n" in said.err
    assert "out.mp4: 10 frames" in said.err


def test_quiet_still_warns(api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main([*REENACT, "--quiet"])
    assert capsys.readouterr().err == "mien: warning: clip.mp4: cut short\n"


def test_a_users_error_is_one_line_and_exit_2(api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.error = FaceError("a.jpg: expected a face, got none")
    assert cli.main(REENACT) == 2
    assert capsys.readouterr().err.splitlines() == ["mien: a.jpg: expected a face, got none"]


def test_debug_shows_the_error_itself(api: FakeApi) -> None:
    api.error = FaceError("planned")
    with pytest.raises(FaceError, match="planned"):
        cli.main([*REENACT, "--debug"])


def test_an_interrupt_is_exit_130(api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.error = KeyboardInterrupt()
    assert cli.main(REENACT) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--size", "20"], "size must be a number from 64 to 4096, got 20"),
        (["--pose", "-1"], "gain pose must be a number from 0 to 3, got -1"),
        (["--lips", "nan"], "gain lips must be a number from 0 to 3, got nan"),
        (["--smooth", "1"], "smooth must be a number from 0 to 0.95, got 1"),
        (["--wrinkles", "2.5"], "wrinkles must be a number from 0 to 2, got 2.5"),
        (["--threads", "0"], "threads must be a number from 1 to 1024, got 0"),
        (["--json", "/no/such/folder/x.json"], "expected the folder '/no/such/folder' to exist, got none"),
    ],
)
def test_settings_out_of_range_are_refused_before_anything_is_done(
    options: list[str], reason: str, api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*REENACT, *options]) == 2
    assert reason in capsys.readouterr().err
    assert not api.call


@pytest.mark.parametrize("arguments", [[], ["fly"], ["reenact", "a.jpg"], [*REENACT, "--pose", "1", "--no-pose"]])
def test_wrong_usage_is_exit_2_and_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("mien: ")
    assert said.count("\n") == 1
    assert "--help` tells more" in said


def test_help_names_commands_of_other_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--help"])
    assert left.value.code == 0
    assert "bench" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--json", "--sheet"])
@pytest.mark.parametrize("read", ["portrait", "driver", "output"])
def test_nothing_that_is_read_or_written_is_written_over(
    option: str, read: str, api: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {name: tmp_path / f"{name}.png" for name in ("portrait", "driver", "output")}
    for path in files.values():
        path.write_text(path.name)
    given = ["reenact", str(files["portrait"]), "--driver", str(files["driver"]), "--output", str(files["output"])]
    assert cli.main([*given, option, str(files[read])]) == 2
    assert "choose another name" in capsys.readouterr().err
    assert not api.call
    assert [path.read_text() for path in files.values()] == [path.name for path in files.values()]


def test_json_is_written(api: FakeApi, tmp_path: Path) -> None:
    path = tmp_path / "statistics.json"
    path.write_text("old")
    assert cli.main([*REENACT, "--json", str(path)]) == 0
    assert json.loads(path.read_text())["frames"]["out"] == 10
    assert list(tmp_path.iterdir()) == [path]


def test_json_of_a_failed_run_is_not_written(api: FakeApi, tmp_path: Path) -> None:
    api.error = FaceError("planned")
    assert cli.main([*REENACT, "--json", str(tmp_path / "statistics.json")]) == 2
    assert not list(tmp_path.iterdir())


def test_json_onto_a_folder_is_refused(api: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "taken"
    path.mkdir()
    assert cli.main([*REENACT, "--json", str(path)]) == 2
    assert "got a folder" in capsys.readouterr().err
    assert not api.call
    assert list(tmp_path.iterdir()) == [path]


def test_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models"]) == 0
    assert capsys.readouterr().out.startswith("warp")


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"mien {mien.__version__}\n"


def test_samples_are_listed_and_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["samples"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed[-1].startswith("sample:driver ")
    assert cli.main(["samples", "--copy", str(tmp_path / "new")]) == 0
    assert len(list((tmp_path / "new").iterdir())) == len(listed)


def test_sample_names_stand_for_their_files(api: FakeApi) -> None:
    name, path = next(iter(mien.samples.portraits().items()))
    assert cli.main(["reenact", f"sample:{name}", "--driver", "sample:driver", "--output", "o.mp4"]) == 0
    assert api.call["pictures"] == [str(path)]
    assert api.call["driver"] == str(mien.samples.driver())


def test_an_unknown_sample_is_refused(api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["reenact", "sample:nobody-of-this-name", "--driver", "c.mp4", "--output", "o.mp4"]) == 2
    assert "expected one of" in capsys.readouterr().err


def test_a_file_with_a_colon_in_its_name_is_itself(api: FakeApi) -> None:
    cli.main(["reenact", "holiday:1.jpg", "--driver", "c.mp4", "--output", "o.mp4"])
    assert api.call["pictures"] == ["holiday:1.jpg"]


def test_other_packages_add_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        def load(self) -> Any:
            return lambda arguments: len(arguments)

    def entry_points(group: str, name: str) -> list[Entry]:
        assert group == "mien.commands"
        return [Entry()] if name == "added" else []

    monkeypatch.setattr(cli, "entry_points", entry_points)
    assert cli.main(["added", "--one", "--two", "three"]) == 3
    assert cli.main(["models"]) == 0
