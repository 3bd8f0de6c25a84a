"""The face model's reader, on files made here; its landmarks and mouth where the model is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from mien.errors import SettingError
from mien.face import topology
from mien.face.topology import canonical_face
from mien_export.data.ict import COUNT, FILE, LOWER_TEETH, PARTS, Ict, expression_fields, read_ict
from mien_export.data.mouth_shape import TOOTH, mouth_shape


def _write(folder: Path, vertices: int = COUNT) -> None:
    gums, teeth = PARTS["gums"][0], PARTS["teeth"][0]
    np.savez(
        folder / FILE,
        neutral=np.zeros((vertices, 3), np.float32),
        expression=np.ones((1, vertices, 3), np.float16),
        expression_names=np.array(["jawOpen"]),
        quads=np.array([[0, 1, 2, 3], [gums, gums + 1, gums + 2, -1], [gums, gums + 1, teeth, teeth + 1]], np.int32),
        landmarks68=np.arange(68, dtype=np.int32),
    )


def test_parts_and_expressions_are_found_by_name(tmp_path: Path) -> None:
    _write(tmp_path)
    model = read_ict(tmp_path)
    assert model.expression("jawOpen").shape == (COUNT, 3)
    first = PARTS["gums"][0]
    np.testing.assert_array_equal(model.triangles("gums"), [[first, first + 1, first + 2]])
    assert len(model.triangles("gums", "teeth")) == 3
    assert len(model.triangles("face")) == 2
    with pytest.raises(SettingError, match="jawopen"):
        model.expression("jawopen")


def test_a_missing_or_foreign_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="found none"):
        read_ict(tmp_path)
    (tmp_path / FILE).write_bytes(b"no archive")
    with pytest.raises(SettingError, match="cannot be read"):
        read_ict(tmp_path)
    _write(tmp_path, vertices=30000)
    with pytest.raises(SettingError, match=str(COUNT)):
        read_ict(tmp_path)


@pytest.fixture(scope="module")
def real() -> Ict:
    data = os.environ.get("MIEN_DATA")
    if data is None or not (Path(data) / "ict" / FILE).is_file():
        pytest.skip("the face model is not here: MIEN_DATA names no folder with ict/")
    return read_ict(Path(data) / "ict")


def test_a_jaw_that_opens_drops_lower_lip_and_chin_and_keeps_the_skull(real: Ict) -> None:
    jaw = expression_fields(real)["jawOpen"]
    points = canonical_face().points + jaw
    width = points[308, 0] - points[78, 0]
    assert 0.6 < (points[14, 1] - points[13, 1]) / width < 1.1
    assert 0.5 < jaw[152, 1] / jaw[14, 1] < 1.0
    assert np.abs(jaw[list(topology.RIGID)]).max() < 0.02
    np.testing.assert_allclose(jaw[canonical_face().mirror] * [-1, 1, 1], jaw, atol=0.03)


def test_upper_teeth_stay_and_lower_teeth_follow(real: Ict) -> None:
    shape = mouth_shape(real)
    lower = LOWER_TEETH - PARTS["gums"][0]
    teeth = shape.stuff >= TOOTH
    assert np.abs(shape.jaw[teeth][: lower - np.flatnonzero(teeth)[0]]).max() < 1e-6
    assert shape.jaw[lower:, 1].min() > 0.1
    assert (shape.normals[0, teeth, 2] < 0).mean() > 0.4  # about half of each tooth faces the viewer
