from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.motion import Motion, identity_motion
from mien.face.pose import Angles
from mien.fuse.fuse import Fuse
from mien.portrait.portrait import Layer, Portrait
from mien.posed import Posed
from mien.reenact.body import GIVES, Body
from mien.reenact.head import DOWNWARDS, SIDEWAYS, eased
from mien.reenact.mesh import SKIN, mesh_of
from mien.reenact.reenact import Reenact
from mien.reenact.target import target_of

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
STILL = identity_motion()
FAR = replace(STILL, translation=np.array([0.9, 0.4]))
NAMES = ("aldo", "mira", "teo")


def posed(portrait: Portrait, motion: Motion) -> Posed:
    return Reenact((portrait,))(motion, 0.0)[0]


def seen_places(one: Posed) -> tuple[Array, Array]:
    """Where pixels of the picture that show the head are (N, 2), and where they were in the picture at rest (N, 2)."""
    assert one.portrait.layers is not None
    layer = one.portrait.layers.head
    flow = one.flow
    assert flow.shape[:2] == one.window.shape
    ys, xs = np.mgrid[one.window.area].astype(float)
    x, y = np.rint(flow).astype(int).transpose(2, 0, 1)
    inside = (x >= 0) & (y >= 0) & (x < layer.alpha.shape[1]) & (y < layer.alpha.shape[0])
    there = inside & (layer.alpha[np.where(inside, y, 0), np.where(inside, x, 0)] > 127)
    return np.stack([xs, ys], axis=-1)[there], flow[there].astype(float) + layer.corner


@pytest.mark.parametrize("name", NAMES)
def test_a_still_driver_shows_the_picture(name: str, portraits: dict[str, Portrait]) -> None:
    portrait = portraits[name]
    one = posed(portrait, STILL)
    assert one.body is None
    off = np.abs(Fuse("none")((one,)).astype(int) - portrait.pixels).max(axis=2)
    assert np.percentile(off, 99.5) <= 1
    assert np.percentile(off, 99.9) <= 5, "at the chin, where the mouth is closed"


@pytest.mark.parametrize("motion", [FAR, replace(STILL, scale=1.35), replace(STILL, turn=Angles(0, 0, 25))])
@pytest.mark.parametrize("name", ["aldo", "teo"])
def test_all_of_the_head_moves_as_one(name: str, motion: Motion, portraits: dict[str, Portrait]) -> None:
    portrait = portraits[name]
    target = target_of(portrait, motion)
    now, was = seen_places(posed(portrait, motion))
    skull = was[:, 1] < portrait.landmarks[152, 1] - 0.3 * portrait.pose.scale
    turn = target.pose.rotation @ portrait.pose.rotation.T * target.pose.scale / portrait.pose.scale
    wanted = (was - portrait.pose.translation[:2]) @ turn[:2, :2].T + target.pose.translation[:2]
    face = portrait.landmarks[:, 0].max() - portrait.landmarks[:, 0].min()
    off = np.linalg.norm(now - wanted, axis=1)[skull] / face
    assert np.percentile(off, 95) < 0.02


@pytest.mark.parametrize("yaw", [-25, 25])
@pytest.mark.parametrize("name", NAMES)
def test_ears_turn_with_the_head(name: str, yaw: float, portraits: dict[str, Portrait]) -> None:
    """Behind the axis of the turn, where the skull's outline is, things go the other way than the nose."""
    portrait = portraits[name]
    mesh = mesh_of(portrait)
    assert mesh.shown is not None
    placed = mesh.place(portrait, target_of(portrait, replace(STILL, turn=Angles(yaw, 0, 0))))
    sides = [SKIN + 5 * 36 + index for index in (8, 28)]
    nose = placed[1, 0] - mesh.source[1, 0]
    middle = np.mean([placed[i, 0] - mesh.source[i, 0] for i in sides])
    assert nose * middle < 0
    shown = mesh.shown
    assert set(map(tuple, shown.tolist())) <= set(map(tuple, mesh.triangles.tolist()))


def test_what_turns_away_does_not_fold(portraits: dict[str, Portrait]) -> None:
    for name in NAMES:
        portrait = portraits[name]
        mesh = mesh_of(portrait)
        assert mesh.shown is not None
        rings = mesh.shown[(mesh.shown >= SKIN).all(axis=1)]
        for yaw in (-35.0, 35.0):
            placed = mesh.place(portrait, target_of(portrait, replace(STILL, turn=Angles(yaw, 0, 0))))
            a, b, c = (placed[rings[:, i], :2].astype(float) for i in range(3))
            areas = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
            assert (areas > 0).mean() > 0.97


def test_the_body_goes_along_with_what_the_neck_cannot_bridge(portrait: Portrait) -> None:
    assert portrait.layers is not None
    body, unit = Body(portrait, portrait.layers.body), portrait.pose.scale
    chin, foot = portrait.landmarks[152:153, :2], np.array([[256.0, 510.0]])
    for way in (0.2, 0.6, 1.5):
        sway = body.sway(target_of(portrait, replace(STILL, translation=np.array([way, 0.0]))))
        assert sway is not None
        above, below = (float((sway.moved(point) - point)[0, 0]) / unit for point in (chin, foot))
        assert above == pytest.approx(way, abs=0.01)
        assert way - below <= GIVES + 1e-6
        assert 0 < below < way
    assert body.sway(target_of(portrait, STILL)) is None


def test_the_bodys_flow_is_the_inverse_of_its_motion(portrait: Portrait) -> None:
    assert portrait.layers is not None
    layer = portrait.layers.body
    one = posed(portrait, replace(FAR, scale=0.8))
    assert one.body is not None
    body = Body(portrait, layer)
    sway = body.sway(target_of(portrait, replace(FAR, scale=0.8)))
    assert sway is not None
    rows, flow = one.body.rows, one.body.flow
    ys, xs = np.mgrid[rows, : portrait.size[0]]
    was = flow.reshape(-1, 2).astype(np.float64) + np.array(layer.corner, np.float64)
    now = sway.moved(was)
    np.testing.assert_allclose(now, np.stack([xs.ravel(), ys.ravel()], axis=-1), atol=0.3)


def test_a_body_that_stays_is_not_drawn_again(portrait: Portrait) -> None:
    stage = Reenact((portrait,))
    first, again, moved = (
        stage(replace(STILL, translation=np.array([way, 0.0])), 0.0)[0].body for way in (0.1, 0.1001, 0.2)
    )
    assert first is not None
    assert again is first
    assert moved is not first


def test_a_cut_head_is_held_back_and_others_are_not(portrait: Portrait) -> None:
    layers, unit = portrait.layers, portrait.pose.scale
    assert layers is not None
    width, height = portrait.size
    room = np.pad(layers.head.alpha, ((60, 0), (60, 60)))
    cut = replace(layers, head=Layer(np.zeros((*room.shape, 3), np.uint8), room, (-60, -60)))
    for way in ((1.4, 0.0), (-1.4, 0.0), (0.0, 1.6)):
        target = target_of(portrait, replace(STILL, translation=np.array(way)))
        assert eased(target, portrait, layers) is target
        held = eased(target, portrait, cut)
        moved = (held.pose.translation - portrait.pose.translation)[:2] / unit
        assert np.abs(moved).max() < (DOWNWARDS if way[1] else SIDEWAYS)
        np.testing.assert_allclose(
            held.landmarks - target.landmarks, np.tile(held.pose.translation - target.pose.translation, (478, 1))
        )
    up = target_of(portrait, replace(STILL, translation=np.array([0.0, -1.0])))
    assert eased(up, portrait, cut) is up
    near = target_of(portrait, replace(STILL, translation=np.array([0.02, 0.0])))
    np.testing.assert_allclose(eased(near, portrait, cut).landmarks, near.landmarks, atol=0.01 * unit)
    assert width == height


def test_a_head_out_of_the_picture_leaves_background_and_body(portrait: Portrait) -> None:
    out = Fuse("none")((posed(portrait, replace(STILL, translation=np.array([9.0, 0.0]))),))
    assert portrait.layers is not None
    np.testing.assert_array_equal(out[:200, :200], portrait.layers.background[:200, :200])
