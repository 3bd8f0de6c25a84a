"""Label maps of drawn people, and textures that are taken from faces and laid on others."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face import classes, topology
from mien.face.crop import SIDE
from mien.face.topology import canonical_face
from mien.face.traits import INDEX, TRAITS
from mien.nobody.colours import measured, table
from mien.nobody.drawing import GRID, REGIONS, TEXTURE, MeanFace, Person, face_triangles, label_map, painted, scaled
from mien.nobody.enlarging import enlarged, strands
from mien.nobody.view import PLACE, UNIT
from mien.parsing.maps import PART_CLASSES

Array = NDArray[np.float64]


def landmarks() -> Array:
    """The canonical face in the view."""
    points = canonical_face().points * UNIT
    points[:, :2] += PLACE - np.array([0.0, 0.3 * UNIT])
    return np.asarray(points)


def person(**traits: float) -> Person:
    """Somebody with an even face: hair above, cloth below, a neck between them."""
    down, across = np.mgrid[:GRID, :GRID] / GRID
    inside = {
        classes.HAIR: (0.55 - down) + 0.35 - np.abs(across - 0.5) * 1.6,
        classes.CLOTH: (down - 0.88) * 2,
        classes.NECK: 0.5 - np.abs(across - 0.5) * 4 + (down > 0.7) - 1,
        classes.BACKGROUND: np.full((GRID, GRID), 0.02),
    }
    regions = np.stack([inside.get(kind, np.full((GRID, GRID), -1.0)) for kind in REGIONS]).astype(np.float32)
    values = np.zeros(len(TRAITS), np.float32)
    for name, value in traits.items():
        values[INDEX[name]] = value
    colours = np.array([[0.8, 0.6, 0.5], [0.2, 0.15, 0.1], [0.7, 0.5, 0.4], [0.1, 0.1, 0.3]], np.float32)
    return Person(landmarks(), regions, np.ones((*TEXTURE, 3), np.float32), colours, values)


@pytest.mark.parametrize("glasses", [0.0, 1.0])
def test_a_map_has_the_face_where_its_landmarks_are(glasses: float) -> None:
    made = person(glasses=glasses)
    labels = label_map(made, 2 * SIDE)
    assert labels.shape == (512, 512)
    there = set(np.unique(labels).tolist())
    assert there >= {*PART_CLASSES, classes.SKIN, classes.HAIR, classes.NECK, classes.CLOTH, classes.BACKGROUND}
    assert (classes.GLASSES in there) == bool(glasses)
    points = scaled(made.landmarks, 512)
    eye = points[list(topology.LEFT_EYE), :2].mean(axis=0).round().astype(int)
    assert labels[eye[1], eye[0]] == classes.LEFT_EYE
    cheek = points[50, :2].round().astype(int)
    assert labels[cheek[1], cheek[0]] == classes.SKIN


def test_the_mesh_has_no_holes() -> None:
    made = MeanFace.of(landmarks())
    _, share = made.laid(np.ones((*TEXTURE, 3), np.float32), landmarks(), SIDE)
    for ring in (topology.LEFT_EYE, topology.RIGHT_EYE):
        x, y = landmarks()[list(ring), :2].mean(axis=0).round().astype(int)
        assert share[y, x] == pytest.approx(1, abs=0.01)
    assert face_triangles().max() < topology.SKIN_COUNT


def test_a_texture_that_is_taken_from_a_face_is_laid_back_onto_it() -> None:
    down, across = np.mgrid[:SIDE, :SIDE]
    picture = np.stack([down, across, 255 - down], axis=-1).astype(np.uint8)
    frame = MeanFace.of(landmarks())
    back, share = frame.laid(frame.taken(picture, landmarks()).astype(np.float32), landmarks(), SIDE)
    inner = share > 0.99
    assert inner.sum() > 8000
    assert np.abs(back[inner] - picture[inner]).mean() < 2


def test_the_painted_map_has_the_colours_of_its_classes() -> None:
    made = person()
    labels = label_map(made, 2 * SIDE)
    backdrop = np.array([0.1, 0.9, 0.2], np.float32)
    colours = table(made.colours, backdrop)
    shown = painted(labels, made.landmarks, made.texture, MeanFace.of(made.landmarks), colours)
    coarse = labels[::2, ::2]
    for kind in (classes.BACKGROUND, classes.HAIR, classes.CLOTH):
        np.testing.assert_allclose(np.median(shown[coarse == kind], axis=0) / 255, colours[kind], atol=0.01)
    read = measured(shown, coarse)
    np.testing.assert_allclose(read, made.colours, atol=0.02)


def test_a_portrait_is_enlarged_with_strands_in_its_hair_only() -> None:
    made = person()
    labels = label_map(made, 256)
    flat = np.full((128, 128, 3), 120, np.uint8)
    large = enlarged(flat, labels, 512, np.random.default_rng(0)).astype(np.float64)
    again = enlarged(flat, labels, 512, np.random.default_rng(0))
    np.testing.assert_array_equal(large, again)
    hair = labels.repeat(2, 0).repeat(2, 1) == classes.HAIR
    behind = labels.repeat(2, 0).repeat(2, 1) == classes.BACKGROUND
    assert large[hair].std() > 1.5 * large[behind].std()
    assert enlarged(flat, labels, 64, np.random.default_rng(0)).shape == (64, 64, 3)


def test_strands_follow_lines() -> None:
    rows = (np.arange(256) // 8 % 2 * 200).astype(np.uint8)
    across = strands(np.tile(rows[:, None], (1, 256)), np.random.default_rng(0))
    along, beside = np.abs(np.diff(across, axis=1)).mean(), np.abs(np.diff(across, axis=0)).mean()
    assert along < 0.7 * beside
