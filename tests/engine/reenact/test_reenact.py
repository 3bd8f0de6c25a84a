from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.capture.image import resized
from mien.config import MotionSettings
from mien.face import topology
from mien.face.face import Face
from mien.face.motion import Motion, identity_motion
from mien.face.pose import Angles
from mien.face.topology import canonical_face
from mien.fuse.fuse import Fuse
from mien.motion.retarget import Retarget
from mien.parse.find import find_faces, refine
from mien.parse.models import FaceMesh
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien.posed import Posed
from mien.reenact.mesh import REACH, SKIN, mesh_of, mesh_triangles
from mien.reenact.reenact import Reenact
from mien.reenact.target import target_of
from mien_kernels import ops

Pixels = NDArray[np.uint8]
STILL = identity_motion()
NAMES = ("aldo", "mira", "teo")


def grid(posed: Posed) -> NDArray[np.float32]:
    """What the flow is where nothing moves."""
    height, width = posed.flow.shape[:2]
    full_width, full_height = posed.window.size
    xs = (np.arange(width) + 0.5) * full_width / width - 0.5
    ys = (np.arange(height) + 0.5) * full_height / height - 0.5
    return np.asarray(np.stack(np.meshgrid(xs, ys), axis=-1), dtype=np.float32)


@pytest.fixture
def flat(portrait: Portrait) -> Portrait:
    """A portrait that was not taken apart."""
    return replace(portrait, layers=None)


def shown(portrait: Portrait, motion: Motion) -> Pixels:
    return Fuse("none")(Reenact((portrait,))(motion, 0.0))


def signed_areas(points: NDArray[np.float64], triangles: NDArray[np.int32]) -> NDArray[np.float64]:
    a, b, c = (points[triangles[:, i]] for i in range(3))
    return np.asarray(((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2)


@pytest.mark.parametrize("name", NAMES)
def test_no_motion_leaves_the_picture_as_it_is(name: str, portraits: dict[str, Portrait]) -> None:
    portrait = replace(portraits[name], layers=None)
    (posed,) = Reenact((portrait,))(STILL, 0.0)
    assert np.abs(posed.flow - grid(posed)).max() < 0.05
    off = np.abs(shown(portrait, STILL).astype(int) - portrait.pixels).max(axis=2)
    assert portrait.matte is not None
    assert off[portrait.matte == 255].max() <= 2
    assert np.percentile(off, 99) <= 4, "the rim of the matte shows some of the in-painted background"


def test_a_driver_without_a_face_shows_the_portrait_at_rest(portrait: Portrait) -> None:
    stage = Reenact((portrait,))
    (at_rest,) = stage(None, 0.0)
    np.testing.assert_allclose(at_rest.landmarks, portrait.landmarks, atol=1e-6)
    assert at_rest.hint is None


def test_self_reenactment_is_aligned_to_the_pixel(
    pictures: dict[str, Pixels], portrait: Portrait, still_mesh: FaceMesh
) -> None:
    """The driver is the portrait, moved and tilted by a known map; its landmarks are found, not given."""
    xs, ys = np.meshgrid(np.arange(512.0), np.arange(512.0))
    angle = np.radians(4.0)
    back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / 1.02
    flow = (np.stack([xs - 256 - 6, ys - 256 + 4], axis=-1) @ back.T + 256).astype(np.float32)
    driver = ops.flow_warp(pictures["aldo"], flow)
    found = refine(driver, find_faces(driver, still_mesh)[0], still_mesh)
    stage = Retarget.from_samples(MotionSettings(mode="absolute"), [Face(found, (512, 512))])
    out = shown(portrait, stage(Face(found, (512, 512)), 0.0))

    inside = ops.rasterize_parts(
        found[list(topology.OVAL), :2].astype(np.float32),
        np.array([0, 36], np.int32),
        np.zeros(1, np.int32),
        size=(1, 512, 512),
    )[0]
    off = np.abs(out.astype(int) - driver).mean(axis=2)[inside > 0.5]
    assert np.median(off) < 2.0
    again = refine(out, find_faces(out, still_mesh)[0], still_mesh)
    assert np.median(np.linalg.norm((again - found)[:468, :2], axis=1)) < 0.5


@pytest.mark.parametrize("yaw", [-35.0, -20.0, 20.0, 35.0])
@pytest.mark.parametrize("name", NAMES)
def test_a_turned_heads_mesh_does_not_fold(name: str, yaw: float, portraits: dict[str, Portrait]) -> None:
    """Skin may shrink to slivers; what turns over is a nose in front of a cheek, and little."""
    portrait = portraits[name]
    target = target_of(portrait, replace(STILL, turn=Angles(yaw, 0.0, 0.0)))
    areas = signed_areas(target.landmarks, canonical_face().triangles)
    unit = portrait.pose.scale**2
    assert -areas[areas < 0].sum() < (0.03 if abs(yaw) > 30 else 0.004) * unit
    assert areas.min() > -0.002 * unit


@pytest.mark.parametrize("turn", [Angles(0, 0, 0), Angles(30, 0, 0), Angles(-30, 10, 0), Angles(0, 0, 25)])
def test_the_outermost_ring_rests(turn: Angles, flat: Portrait) -> None:
    mesh = mesh_of(flat)
    placed = mesh.place(flat, target_of(flat, replace(STILL, turn=turn)))
    outer = slice(SKIN + (len(REACH) - 1) * len(topology.OVAL), None)
    np.testing.assert_allclose(placed[outer, :2], mesh.source[outer], atol=0.01)


def test_the_mesh_is_one_sheet_of_triangles() -> None:
    triangles = mesh_triangles()
    assert triangles.dtype == np.int32
    assert triangles.max() == SKIN + len(REACH) * len(topology.OVAL) - 1
    assert all(len(set(row)) == 3 for row in triangles.tolist())
    assert not triangles.flags.writeable


@pytest.mark.parametrize("turn", [Angles(25, 0, 0), Angles(0, -15, 10)])
def test_what_the_pictures_border_cuts_off_stays_there(turn: Angles, flat: Portrait) -> None:
    motion = replace(STILL, turn=turn, translation=np.array([0.1, 0.05]))
    (posed,) = Reenact((flat,))(motion, 0.0)
    away = np.abs(posed.flow - grid(posed)).max(axis=2)
    assert flat.matte is not None
    person = away * (flat.matte > 0)
    assert max(person[0].max(), person[-1].max(), person[:, 0].max(), person[:, -1].max()) < 4.0
    assert person.max() > 10


@pytest.fixture(scope="module")
def small(pictures: dict[str, Pixels]) -> Portrait:
    """A face that is a small part of a large picture."""
    picture = np.tile(np.linspace(60, 180, 1200)[None, :, None], (800, 1, 3)).astype(np.uint8)
    picture[300:620, 700:1020] = resized(pictures["aldo"], 320, 320)
    return replace(prepare(picture)[0], layers=None)


@pytest.mark.parametrize("turn", [Angles(0, 0, 0), Angles(18, -8, 6)])
def test_outside_of_the_window_nothing_changes_and_there_is_no_seam(turn: Angles, small: Portrait) -> None:
    at_rest = shown(small, STILL)
    (posed,) = Reenact((small,))(replace(STILL, turn=turn), 0.0)
    window = posed.window
    width, height = window.size
    assert width * height < 0.6 * 1200 * 800
    out = Fuse("none")((posed,))
    outside = np.ones(out.shape[:2], bool)
    outside[window.area] = False
    np.testing.assert_array_equal(out[outside], at_rest[outside])
    inner = out[window.area].astype(int)
    still = at_rest[window.area]
    rim = np.ones(inner.shape[:2], bool)
    rim[2:-2, 2:-2] = False
    assert np.abs(inner - still)[rim].max() <= 3


def test_a_window_that_is_most_of_the_picture_is_all_of_it(flat: Portrait) -> None:
    (posed,) = Reenact((flat,))(STILL, 0.0)
    assert posed.window.size == flat.size
    assert posed.flow.shape == (512, 512, 2)


def test_a_large_picture_is_moved_by_a_flow_of_its_own_size(pictures: dict[str, Pixels]) -> None:
    large = replace(prepare(resized(pictures["aldo"], 1024, 1024))[0], layers=None)
    (posed,) = Reenact((large,))(STILL, 0.0)
    assert max(posed.flow.shape) <= 640
    assert np.abs(posed.flow - grid(posed)).max() < 0.05
    off = np.abs(Fuse("none")((posed,)).astype(int) - large.pixels).max(axis=2)
    assert large.matte is not None
    assert off[large.matte == 255].max() <= 2
