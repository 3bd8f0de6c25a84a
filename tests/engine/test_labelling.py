"""Label maps of the packaged pictures and of the packaged clip, by the packaged model."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import mien
from mien import capture, cli, samples
from mien.capture import image
from mien.errors import FaceError, SettingError, SinkError
from mien.face import classes, topology
from mien.face.classes import CLASSES, MIRRORED
from mien.frame import Frame
from mien.labelling import parse_file
from mien.parsing.showing import PALETTE
from mien.portrait.portrait import Portrait

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def labels(pictures: dict[str, Pixels]) -> dict[str, Pixels]:
    return {name: mien.parse_labels(pictures[name]) for name in ("aldo", "mira")}


def _iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def test_parts_lie_at_the_landmarks(labels: dict[str, Pixels], portraits: dict[str, Portrait]) -> None:
    outlines = (
        (topology.LEFT_EYE, classes.LEFT_EYE),
        (topology.RIGHT_EYE, classes.RIGHT_EYE),
        (topology.LEFT_BROW, classes.LEFT_BROW),
        (topology.RIGHT_BROW, classes.RIGHT_BROW),
    )
    for name, found in labels.items():
        points = portraits[name].landmarks
        for outline, kind in outlines:
            middle = points[list(outline), :2].mean(axis=0)
            rows, columns = np.nonzero(found == kind)
            assert np.hypot(columns.mean() - middle[0], rows.mean() - middle[1]) < 0.1 * np.ptp(points[:, 0])
        x, y = np.rint(points[50, :2]).astype(int)
        assert found[y, x] == classes.SKIN
        assert found[2, 2] == classes.BACKGROUND


def test_a_mirrored_picture_has_its_sides_exchanged(labels: dict[str, Pixels], pictures: dict[str, Pixels]) -> None:
    other = mien.parse_labels(np.ascontiguousarray(pictures["mira"][:, ::-1]))
    expected = np.array(MIRRORED, np.uint8)[labels["mira"][:, ::-1]]
    assert (other == expected).mean() > 0.95
    for kind in (classes.LEFT_EYE, classes.RIGHT_EYE, classes.LEFT_BROW, classes.RIGHT_BROW, classes.HAIR):
        assert _iou(other == kind, expected == kind) > 0.6


def test_a_picture_on_its_side_has_the_same_labels(labels: dict[str, Pixels], pictures: dict[str, Pixels]) -> None:
    lying = mien.parse_labels(np.ascontiguousarray(np.rot90(pictures["aldo"])))
    assert (np.rot90(labels["aldo"]) == lying).mean() > 0.95


def test_the_map_of_a_picture_is_a_png_of_ids(tmp_path: Path, labels: dict[str, Pixels]) -> None:
    output = tmp_path / "map.png"
    assert cli.main(["parse", "sample:mira", "--output", str(output), "--quiet"]) == 0
    with Image.open(output) as written:
        assert written.mode == "P"
        assert (np.asarray(written) == labels["mira"]).all()
        palette = written.getpalette()
        assert palette is not None
        assert palette[: 3 * len(CLASSES)] == PALETTE.ravel().tolist()


def test_an_overlay_shows_the_picture(tmp_path: Path, pictures: dict[str, Pixels], labels: dict[str, Pixels]) -> None:
    output = tmp_path / "over.png"
    parse_file(samples.portraits()["mira"], output, overlay=True)
    shown = image.read(output)
    behind = labels["mira"] == classes.BACKGROUND
    assert (shown[behind] == pictures["mira"][behind]).all()
    assert (shown[~behind] != pictures["mira"][~behind]).any(axis=1).mean() > 0.95


def test_a_video_has_a_map_for_each_frame(tmp_path: Path) -> None:
    output = tmp_path / "maps.mp4"
    statistics = parse_file(samples.driver(), output, duration=0.2)
    with av.open(str(output)) as made, av.open(str(samples.driver())) as driver:
        frames = [frame.to_ndarray(format="rgb24") for frame in made.decode(video=0)]
        assert bool(made.streams.audio) == bool(driver.streams.audio)
    assert len(frames) == statistics.frames_out == statistics.frames_in > 3
    near = np.abs(frames[0].astype(int)[:, :, None] - PALETTE.astype(int)).sum(axis=3).argmin(axis=2)
    x = np.arange(near.shape[1])
    eyes = [(near == kind).sum(axis=0) for kind in (classes.LEFT_EYE, classes.RIGHT_EYE)]
    assert eyes[0] @ x / eyes[0].sum() < eyes[1] @ x / eyes[1].sum()


def test_a_span_of_one_frame_is_a_picture(tmp_path: Path) -> None:
    output = tmp_path / "map.png"
    statistics = parse_file(samples.driver(), output, start=0.5, duration=0.04)
    with capture.open(samples.driver(), start=0.5, duration=0.04) as driver:
        (frame,) = [item for item in driver if isinstance(item, Frame)]
    with Image.open(output) as written:
        assert written.mode == "P"
        assert (np.asarray(written) == mien.parse_labels(frame.pixels)).all()
    assert statistics.frames_in == statistics.frames_out == 1


def test_a_picture_becomes_what_the_output_names(tmp_path: Path, pictures: dict[str, Pixels]) -> None:
    (tmp_path / "one").mkdir()
    Image.fromarray(pictures["mira"]).save(tmp_path / "one/photo.png")
    (tmp_path / "made").mkdir()
    parse_file(tmp_path / "one", tmp_path / "made/%03d.png")
    parse_file(tmp_path / "one", tmp_path / "made/map.png")
    parse_file(tmp_path / "one/photo.png", tmp_path / "made/map.mp4")
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["001.png", "map.mp4", "map.png"]
    with av.open(str(tmp_path / "made/map.mp4")) as made:
        assert len(list(made.decode(video=0))) == 1


def test_what_cannot_be_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pictures: dict[str, Pixels]
) -> None:
    with pytest.raises(FaceError, match="expected a face, got none"):
        mien.parse_labels(np.full((64, 64, 3), 90, np.uint8))
    with pytest.raises(SettingError, match=r"picture must be"):
        mien.parse_labels(np.zeros((4, 4), np.uint8))
    with pytest.raises(SinkError, match=r"expected a \.png for the label map"):
        parse_file(samples.portraits()["mira"], tmp_path / "map.jpg")
    copy = tmp_path / "mira.png"
    Image.fromarray(pictures["mira"]).save(copy)
    assert cli.main(["parse", str(copy), "--output", str(copy)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert "expected another file than those that are read" in told[0]
    assert [found.name for found in tmp_path.iterdir()] == ["mira.png"]
