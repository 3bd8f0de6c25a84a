"""Morphs of the sample portraits: exact at both ends, in between a face with one outline, moved as any other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import FaceError
from mien.face.pose import Angles, fit_pose, rotation_of
from mien.morphing.mesh_morph import MeshMorph
from mien.parse.models import FaceMesh
from mien.portrait.portrait import Portrait

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def morph(portraits: dict[str, Portrait]) -> MeshMorph:
    """Of short and long hair, so that outlines differ."""
    return MeshMorph(portraits["aldo"], portraits["mira"])


def _apart(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(np.float64) - other).mean())


def test_its_ends_are_the_portraits_themselves(morph: MeshMorph, portraits: dict[str, Portrait]) -> None:
    assert morph(0.0) is portraits["aldo"]
    assert morph(1.0) is portraits["mira"]


@pytest.mark.parametrize(("degree", "end"), [(1e-3, 0), (1 - 1e-3, 1)])
def test_it_leaves_an_end_without_a_jump(morph: MeshMorph, degree: float, end: int) -> None:
    near, own = morph(degree), morph.ends[end]
    assert _apart(near.pixels, own.pixels) < 2
    np.testing.assert_allclose(near.landmarks, own.landmarks, atol=0.5)


def test_between_there_is_a_face_where_its_landmarks_say(morph: MeshMorph, still_mesh: FaceMesh) -> None:
    made = morph(0.5)
    (found,) = still_mesh(made.pixels)
    size = made.pose.scale
    assert np.abs(found[:468, :2] - made.landmarks[:468, :2]).mean() < 0.04 * size
    np.testing.assert_allclose(made.pose.apply(made.shape), made.landmarks)
    widths = [np.ptp(one.shape[:468, 0]) for one in (morph(0.0), made, morph(1.0))]
    assert min(widths[::2]) <= widths[1] <= max(widths[::2])


def test_outlines_are_no_softer_than_those_of_the_ends(morph: MeshMorph) -> None:
    """A cross-fade of long and short hair would leave it half transparent."""

    def soft(portrait: Portrait) -> float:
        assert portrait.layers is not None
        alpha = portrait.layers.head.alpha
        return float(((alpha > 40) & (alpha < 215)).sum())

    most = max(soft(end) for end in morph.ends)
    assert max(soft(morph(degree)) for degree in (0.25, 0.5, 0.75)) < 1.3 * most


def test_hair_grows_from_one_end_to_the_other(morph: MeshMorph) -> None:
    def covered(degree: float) -> int:
        layers = morph(degree).layers
        assert layers is not None
        return int((layers.head.alpha > 127).sum())

    sizes = [covered(degree) for degree in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert sizes == sorted(sizes)


def test_its_layers_give_its_picture(morph: MeshMorph) -> None:
    made = morph(0.4)
    assert made.layers is not None
    assert made.matte is not None
    assert made.background is not None
    surely = made.matte == 0
    np.testing.assert_array_equal(made.pixels[surely], made.background[surely])
    x, y = made.layers.head.corner
    height, width = made.pixels.shape[:2]
    head = made.layers.head.alpha[-y : height - y, -x : width - x] == 255
    np.testing.assert_array_equal(made.pixels[head], made.layers.head.pixels[-y : height - y, -x : width - x][head])


def test_portraits_that_could_not_be_taken_apart_are_blended_as_a_whole(portraits: dict[str, Portrait]) -> None:
    bare = [replace(portraits[name], layers=None, matte=None, background=None, skin=None) for name in ("aldo", "teo")]
    made = MeshMorph(bare[0], bare[1])(0.5)
    assert made.layers is None
    assert made.matte is None
    assert made.pixels.shape == bare[0].pixels.shape
    middle = tuple(np.rint(made.landmarks[1, 1::-1]).astype(int))
    assert made.pixels[middle].std() < 60
    assert fit_pose(made.landmarks).scale == pytest.approx(made.pose.scale, rel=0.05)


def test_what_is_drawn_at_random_stays_while_the_degree_changes(morph: MeshMorph) -> None:
    one, other = morph(0.4), morph(0.5)
    assert one.digest != other.digest
    assert one.digest[:16] == other.digest[:16] == morph.ends[0].digest[:16]


def test_heads_turned_apart_are_refused(portraits: dict[str, Portrait]) -> None:
    first = portraits["aldo"]
    turned = replace(
        first, pose=replace(first.pose, rotation=rotation_of(Angles(40.0, 0.0, 0.0)) @ first.pose.rotation)
    )
    with pytest.raises(FaceError, match="at most 35 degrees apart, got 38"):
        MeshMorph(first, turned)
