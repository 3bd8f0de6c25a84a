from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.device.device import ON_HOST
from mien.face import topology
from mien.face.contacts import set_lid_gaps, set_lip_gaps
from mien.face.topology import PARTS, canonical_face
from mien.paint.parsing import TEETH, fill_mouth_map, parsing_map
from mien.plane import coarser
from mien.portrait.portrait import Portrait

Floats = NDArray[np.float32]
SHAPE = canonical_face().points
TO_MAP = np.array([[100.0, 0.0, 128.0], [0.0, 100.0, 90.0]])
SIZE = (256, 256)


def drawn(shape: NDArray[np.float64], matrix: NDArray[np.float64] = TO_MAP) -> dict[str, Floats]:
    return dict(zip(PARTS, parsing_map(shape, matrix, SIZE), strict=True))


def centre(mask: Floats) -> NDArray[np.float64]:
    ys, xs = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]]
    return np.array([float((xs * mask).sum()), float((ys * mask).sum())]) / float(mask.sum())


def test_it_has_a_channel_for_each_part_in_their_order() -> None:
    out = parsing_map(SHAPE, TO_MAP, (200, 240))
    assert out.shape == (len(PARTS), 200, 240) == (9, 200, 240)
    assert out.dtype == np.float32
    assert out.min() >= 0
    assert out.max() == 1
    assert PARTS[0] == "face"
    assert PARTS[-1] == "nose_bridge"


def test_parts_lie_where_they_belong() -> None:
    parts = drawn(set_lip_gaps(SHAPE, np.full(9, 0.2)))
    heights = [centre(parts[name])[1] for name in ("brows", "eyes", "nose", "upper_lip", "teeth", "lower_lip")]
    assert heights == sorted(heights)
    assert centre(parts["nose_bridge"])[1] < centre(parts["nose"])[1]
    for name in PARTS[1:]:
        assert (parts[name] <= parts["face"] + 1e-3).all(), name
        assert centre(parts[name])[0] == pytest.approx(127.9, abs=1.0), name


def test_lips_and_inner_mouth_do_not_overlap() -> None:
    parts = drawn(set_lip_gaps(SHAPE, np.full(9, 0.2)))
    both = parts["upper_lip"] + parts["lower_lip"] + parts["teeth"]
    assert (both > 1.05).sum() < 20
    assert parts["teeth"].sum() > 300


def test_a_closed_mouth_shows_no_teeth_and_shut_eyes_no_gaze() -> None:
    parts = drawn(set_lid_gaps(set_lip_gaps(SHAPE, np.zeros(9)), np.zeros((2, 7))))
    assert parts["teeth"].sum() < 1
    assert parts["eyes"].sum() < 8
    assert parts["gaze"].sum() <= parts["eyes"].sum()


def test_irises_are_discs_cut_by_the_lids() -> None:
    wide = set_lid_gaps(SHAPE, np.full((2, 7), 0.3))
    parts = drawn(wide)
    radius = np.mean([np.linalg.norm(SHAPE[list(i[1:]), :2] - SHAPE[i[0], :2], axis=1).mean() for i in topology.IRISES])
    assert parts["gaze"].sum() == pytest.approx(2 * np.pi * (radius * 100) ** 2, rel=0.08)
    assert drawn(SHAPE)["gaze"].sum() < parts["gaze"].sum()
    moved = wide.copy()
    moved[topology.SKIN_COUNT :, 0] += 0.03
    assert centre(drawn(moved)["gaze"])[0] - centre(parts["gaze"])[0] == pytest.approx(3.0, abs=0.3)


def test_edges_are_anti_aliased_and_move_by_parts_of_a_pixel() -> None:
    face = drawn(SHAPE)["face"]
    soft = (face > 0.02) & (face < 0.98)
    assert 100 < soft.sum() < 2000
    shifted = drawn(SHAPE, TO_MAP + np.array([[0, 0, 0.25], [0, 0, 0]]))["face"]
    assert centre(shifted)[0] - centre(face)[0] == pytest.approx(0.25, abs=0.02)


def test_a_given_array_is_filled_and_returned() -> None:
    out = np.full((9, 64, 64), 7.0, np.float32)
    small = np.array([[25.0, 0.0, 32.0], [0.0, 25.0, 20.0]])
    assert parsing_map(SHAPE, small, (64, 64), out) is out
    np.testing.assert_array_equal(out, parsing_map(SHAPE[:, :2], small, (64, 64)))


@pytest.mark.parametrize("name", ["aldo", "mira", "teo"])
def test_on_a_portrait_the_lips_are_redder_than_the_face(name: str, portraits: dict[str, Portrait]) -> None:
    portrait = portraits[name]
    width, height = portrait.size
    parts = dict(zip(PARTS, parsing_map(portrait.landmarks, np.eye(2, 3), (height, width)), strict=True))
    redness = portrait.pixels[..., 0] / (portrait.pixels.sum(axis=2) + 1.0)
    brightness = portrait.pixels.mean(axis=2)
    lips = (redness * parts["lower_lip"]).sum() / parts["lower_lip"].sum()
    assert lips > (redness * parts["face"]).sum() / parts["face"].sum()
    iris = (brightness * parts["gaze"]).sum() / parts["gaze"].sum()
    assert iris < (brightness * parts["face"]).sum() / parts["face"].sum()


def test_a_coarser_map_is_the_mean_of_the_fine_one() -> None:
    shape = set_lip_gaps(SHAPE, np.full(9, 0.2))
    fine = parsing_map(shape, TO_MAP, SIZE)
    means = fine.reshape(len(PARTS), SIZE[0] // 2, 2, SIZE[1] // 2, 2).mean(axis=(2, 4))
    coarse = parsing_map(shape, coarser(TO_MAP, 2), (SIZE[0] // 2, SIZE[1] // 2))
    apart = np.abs(coarse - means)
    assert apart.mean() < 1e-4
    assert (apart > 0.02).mean() < 1e-3  # where two outlines of a part meet, or the iris its lid, in one cell


def test_the_inner_mouth_by_itself_is_the_maps() -> None:
    shape = set_lip_gaps(SHAPE, np.full(9, 0.2))
    alone = np.empty((1, *SIZE), np.float32)
    fill_mouth_map(shape, TO_MAP, alone, ON_HOST)
    np.testing.assert_array_equal(alone[0], parsing_map(shape, TO_MAP, SIZE)[TEETH])
