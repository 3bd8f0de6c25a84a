from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from mien.errors import SettingError, SourceError
from mien.face.points68 import MESH
from mien.portrait.portrait import Portrait
from mien_bench.fidelity.judges import compressed, rolled
from mien_bench.fidelity.landmarkers import (
    GRID,
    OPENSEEFACE,
    POINTS,
    OpenSeeFace,
    crop_tensor,
    decoded,
    open_mesh_reader,
    openseeface_path,
)


def test_heat_maps_are_read_with_their_offsets() -> None:
    maps = np.full((3, POINTS, GRID, GRID), 0.5, np.float32)
    maps[0] = 0.0
    maps[0, :, 9, 18] = 0.8
    maps[1, 3, 9, 18] = 1 / (1 + np.exp(-16 * 2 / 223))
    points, trust = decoded(maps.reshape(3 * POINTS, GRID, GRID))
    assert trust == pytest.approx(0.8)
    assert points[0] * 224 == pytest.approx([18 / 27 * 223, 9 / 27 * 223])
    assert (points[3] - points[0]) * 224 == pytest.approx([0.0, 2.0], abs=1e-4)


def test_a_crop_is_normalised_and_shows_what_lies_in_it() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:, 50:, 1] = 255
    tensor = crop_tensor(pixels, np.array([20.0, 20.0]), np.array([60.0, 60.0]))
    assert tensor.shape == (3, 224, 224)
    assert tensor[1, :, :100] == pytest.approx(-0.456 / 0.224, abs=1e-5)
    assert tensor[1, :, 125:] == pytest.approx((1 - 0.456) / 0.224, abs=1e-5)
    assert tensor[0] == pytest.approx(-0.485 / 0.229, abs=1e-5)


def test_where_the_model_lies_is_told_or_asked(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="--openseeface"):
        openseeface_path(None, None)
    with pytest.raises(SourceError, match="expected OpenSeeFace"):
        openseeface_path(None, tmp_path)
    with pytest.raises(SourceError, match=r"nothing\.onnx"):
        openseeface_path(tmp_path / "nothing.onnx", tmp_path)
    (tmp_path / OPENSEEFACE).parent.mkdir(parents=True)
    (tmp_path / OPENSEEFACE).touch()
    assert openseeface_path(None, tmp_path) == tmp_path / OPENSEEFACE


def test_openseeface_finds_points_where_the_mesh_does(people: dict[str, Portrait]) -> None:
    path = Path(os.environ.get("MIEN_DATA", "")) / OPENSEEFACE
    if not path.is_file():
        pytest.skip("OpenSeeFace's model is not there; MIEN_DATA does not name a folder with it")
    model = OpenSeeFace(path)
    for portrait in people.values():
        about = portrait.landmarks[list(MESH), :2]
        found = model.points(portrait.pixels, about + 6.0)
        assert found is not None
        assert np.median(np.linalg.norm(found - about, axis=1)) < 0.08 * portrait.pose.scale
    assert model.points(np.zeros((200, 200, 3), np.uint8), about) is None


def test_the_mesh_reads_a_single_picture(people: dict[str, Portrait]) -> None:
    teo = people["teo"]
    with open_mesh_reader() as reader:
        about = teo.landmarks[list(MESH), :2]
        landmarks = reader.landmarks(teo.pixels, about)
        assert landmarks is not None
        assert np.abs(landmarks - teo.landmarks)[:, :2].max() < 0.1 * teo.pose.scale
        assert reader(np.zeros_like(teo.pixels), about) is None


def test_controls_change_the_picture_and_not_the_face() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    points = np.random.default_rng(1).uniform(20, 44, (68, 2))
    turned, moved = rolled(pixels, points, 90.0)
    assert moved.mean(axis=0) == pytest.approx(points.mean(axis=0))
    assert np.linalg.norm(moved - moved.mean(axis=0), axis=1) == pytest.approx(
        np.linalg.norm(points - points.mean(axis=0), axis=1)
    )
    assert rolled(turned, moved, -90.0)[1] == pytest.approx(points)
    small = compressed(pixels)
    assert small.shape == pixels.shape
    assert not np.array_equal(small, pixels)
