"""From files to files, as `mien reenact` does it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from mien import api, cli, samples
from mien.config import WARP, CredentialSettings, ReenactSettings
from mien.errors import FaceError, MienError, SettingError, SinkError, SourceError
from mien.stats import Statistics

SMALL = ReenactSettings(model=WARP, size=128)
SECONDS = 0.6


@pytest.fixture(scope="module")
def portrait() -> Path:
    return next(iter(samples.portraits().values()))


def _frame_times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        return [Fraction(frame.pts or 0) * (frame.time_base or 0) for frame in container.decode(video=0)]


def test_output_has_the_drivers_frames_rate_and_sound(portrait: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    totals: list[int | None] = []
    statistics = api.render_file(
        [portrait], samples.driver(), output, SMALL, duration=SECONDS, begun=lambda total, _: totals.append(total)
    )
    with av.open(str(samples.driver())) as driver:
        rate = driver.streams.video[0].average_rate
        has_sound = bool(driver.streams.audio)
    with av.open(str(output)) as made:
        video = made.streams.video[0]
        assert max(video.width, video.height) == 128
        assert video.average_rate == rate
        assert bool(made.streams.audio) == has_sound
        assert "synthetic" in made.metadata["comment"]
    expected = [time for time in _frame_times(samples.driver()) if time < SECONDS]
    assert _frame_times(output) == pytest.approx(expected, abs=1e-3)
    assert statistics.frames_in == statistics.frames_out == len(expected)
    assert totals == [len(expected)]
    assert list(tmp_path.iterdir()) == [output]


def test_comparison_is_wider_by_the_driver(portrait: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    api.render_file([portrait], samples.driver(), output, SMALL, duration=0.2, compare=True)
    with av.open(str(output)) as made, av.open(str(samples.driver())) as driver:
        video, given = made.streams.video[0], driver.streams.video[0]
        across = video.height * given.width / given.height
        assert video.width == pytest.approx(128 + across, abs=2)


def test_contact_sheet_comes_along(portrait: Path, tmp_path: Path) -> None:
    output, sheet = tmp_path / "out.mp4", tmp_path / "sheet.png"
    api.render_file([portrait], samples.driver(), output, SMALL, duration=0.2, sheet=sheet)
    assert sorted(tmp_path.iterdir()) == [output, sheet]


def test_two_runs_give_the_same_pixels(portrait: Path, tmp_path: Path) -> None:
    pictures = []
    for name in ("a", "b"):
        folder = tmp_path / name
        plain = CredentialSettings(wanted=False)
        settings = replace(SMALL, invisible_mark=False, credentials=plain)  # both say which run it was
        api.render_file([portrait], samples.driver(), folder, settings, start=1.0, duration=0.2)
        pictures.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert pictures[0]
    assert pictures[0] == pictures[1]


def _write(path: Path, codec: str, pixel_format: str, frames: list[av.VideoFrame]) -> None:
    with av.open(str(path), "w", format="image2" if path.suffix == ".png" else None) as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=25))
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, pixel_format
        for number, frame in enumerate(frames):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture
def bad(tmp_path: Path) -> dict[str, Path]:
    """Inputs that are no good, by what is wrong with them; none of them in the folder of the outputs."""
    folder = tmp_path / "bad"
    folder.mkdir()
    found = {name: folder / name for name in ("text.mp4", "empty.jpg", "grey.mp4", "none.jpg", "folder", "grey.png")}
    found["text.mp4"].write_text("no video")
    found["empty.jpg"].write_bytes(b"")
    found["folder"].mkdir()
    grey = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 99, np.uint8), format="rgb24")
    _write(found["grey.mp4"], "libx264", "yuv420p", [grey] * 10)
    _write(found["grey.png"], "png", "rgb24", [grey])
    return found


@pytest.mark.parametrize(
    ("portrait_name", "driver_name", "error"),
    [
        ("none.jpg", None, SourceError),
        ("empty.jpg", None, SourceError),
        ("folder", None, SourceError),
        ("text.mp4", None, SourceError),
        ("grey.mp4", None, SourceError),
        ("grey.png", None, FaceError),
        (None, "none.jpg", SourceError),
        (None, "folder", SourceError),
        (None, "text.mp4", SourceError),
        (None, "grey.mp4", FaceError),
    ],
)
def test_bad_input_is_refused_with_nothing_written(
    portrait_name: str | None,
    driver_name: str | None,
    error: type[MienError],
    portrait: Path,
    bad: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    picture = bad[portrait_name] if portrait_name else portrait
    driver = bad[driver_name] if driver_name else samples.driver()
    with pytest.raises(error):
        api.render_file([picture], driver, output / "out.mp4", SMALL)
    assert not list(output.iterdir())
    arguments = ["reenact", str(picture), "--driver", str(driver), "--output", str(output / "out.mp4"), "--quiet"]
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line[:5] for line in said] == ["mien:"]
    assert not list(output.iterdir())


@pytest.mark.parametrize("name", ["no/folder/out.mp4", "out.xyz", "taken"])
def test_an_output_that_cannot_be_is_refused(name: str, portrait: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken.mp4"
    taken.mkdir()
    output = taken if name == "taken" else tmp_path / name
    with pytest.raises(SinkError):
        api.render_file([portrait], samples.driver(), output, SMALL, duration=0.2)
    assert list(tmp_path.iterdir()) == [taken]


@pytest.mark.parametrize("name", ["none.png", "folder", "pipe"])
def test_a_background_that_cannot_be_is_refused_before_the_portrait_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    settings = replace(SMALL, background=str(tmp_path / name))
    with pytest.raises(SettingError, match=r"background must be one of keep.*: expected a file, got"):
        api.render_file([tmp_path / "no portrait.jpg"], samples.driver(), tmp_path / "out.mp4", settings)


def test_a_file_that_is_read_is_never_replaced(tmp_path: Path) -> None:
    driver = tmp_path / "driver.mp4"
    driver.write_bytes(samples.driver().read_bytes())
    with pytest.raises(SinkError, match="another file"):
        api.render_file([samples.driver()], driver, driver, SMALL)
    with pytest.raises(SinkError, match="another file"):
        api.render_file([samples.driver()], driver, tmp_path / "out.mp4", SMALL, sheet=driver)
    assert driver.read_bytes() == samples.driver().read_bytes()


def test_a_face_that_the_driver_lacks_is_told(portrait: Path, tmp_path: Path) -> None:
    with pytest.raises(FaceError, match=r"expected a face number 3, .* got at most 1 at once; choose a smaller --face"):
        api.render_file([portrait], samples.driver(), tmp_path / "out.mp4", replace(SMALL, face=3), duration=0.2)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_no_partial_file(portrait: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def go_on(self: object, statistics: Statistics) -> None:
        if statistics.frames_out == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr("mien.cli._Telling.go_on", go_on)
    arguments = ["reenact", str(portrait), "--driver", str(samples.driver()), "--output", str(tmp_path / "out.mp4")]
    assert cli.main([*arguments, "--size", "128", "--sheet", str(tmp_path / "s.png")]) == 130
    assert not list(tmp_path.iterdir())


def test_command_line_writes_statistics_beside(portrait: Path, tmp_path: Path) -> None:
    output, numbers = tmp_path / "out.mp4", tmp_path / "numbers.json"
    arguments = ["reenact", str(portrait), "--driver", str(samples.driver()), "--output", str(output), "--quiet"]
    assert cli.main([*arguments, "--duration", "0.4", "--size", "128", "--json", str(numbers)]) == 0
    form = json.loads(numbers.read_text())
    assert form["frames"]["out"] == len(_frame_times(output))
    assert list(form["stages"]) == ["decode", "parse", "motion", "reenact", "paint", "fuse", "smooth", "encode"]
    assert {"p50_ms", "p95_ms", "p99_ms"} <= set(form["stages"]["parse"])
