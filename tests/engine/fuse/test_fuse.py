from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.draw.mouth import mouth_hint
from mien.face.motion import identity_motion
from mien.face.pose import Angles
from mien.fuse.fuse import Fuse
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien.posed import Painting
from mien.reenact.reenact import Reenact

Pixels = NDArray[np.uint8]
STILL = identity_motion()


def test_every_frame_has_an_array_of_its_own(portrait: Portrait) -> None:
    fuse, reenact = Fuse("none"), Reenact((portrait,))
    first = fuse(reenact(STILL, 0.0))
    kept = first.copy()
    second = fuse(reenact(replace(STILL, turn=Angles(15, 0, 0)), 0.1))
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, kept)
    assert first.flags.c_contiguous
    assert not np.shares_memory(first, portrait.pixels)


def test_fusing_again_gives_the_same(portrait: Portrait) -> None:
    reenact = Reenact((portrait,))
    motion = replace(STILL, turn=Angles(10, 5, -4), lids=np.array([0.3, 0.8]), lips=np.full(9, 0.1))
    shown = [Fuse("none", threads)(reenact(motion, 0.0)) for threads in (1, 2)]
    np.testing.assert_array_equal(shown[0], shown[1])


def test_weights_of_two_pictures_blend(pictures: dict[str, Pixels]) -> None:
    several = prepare(pictures["aldo"], pictures["teo"])
    fuse = Fuse("none")
    a, b = (Reenact((portrait,))(STILL, 0.0)[0] for portrait in several)
    alone = [fuse((one,)).astype(float) for one in (a, b)]
    for share in (0.25, 0.5, 0.9):
        both = fuse((replace(a, weight=1 - share), replace(b, weight=share)))
        wanted = (1 - share) * alone[0] + share * alone[1]
        assert np.abs(both - wanted).max() <= 1.5


def test_what_was_painted_shows_where_the_mask_gives_way(portrait: Portrait) -> None:
    posed = Reenact((portrait,))(STILL, 0.0)[0]
    side, height = 64, 80
    green, mask = np.full((height, side, 3), (0, 255, 0), np.uint8), np.ones((height, side), np.float32)
    mask[:, : side // 2] = 0
    corner = portrait.landmarks[1, :2].round() - (side / 2, height / 2)
    matrix = np.column_stack([np.eye(2), -corner])
    shown = Fuse("none")((posed,), (Painting(green, mask, matrix),))
    x, y = corner.astype(int)
    inner = slice(y + 20, y + height - 20)
    assert (shown[inner, x + 20 : x + side // 2] == (0, 255, 0)).all()
    bare = Fuse("none")((posed,), (Painting(green, np.ones_like(mask), matrix),))
    np.testing.assert_array_equal(shown[:, x + side // 2 :], bare[:, x + side // 2 :])


def test_the_drivers_mouth_is_taken_where_wanted(portrait: Portrait, portraits: dict[str, Portrait]) -> None:
    driver = portraits["teo"]
    green = driver.pixels.copy()
    green[:] = [20, 200, 20]
    hint = mouth_hint(green, driver.landmarks)
    motion = replace(STILL, lips=np.full(9, 0.25), hint=hint)
    (posed,) = Reenact((portrait,))(motion, 0.0)
    x, y = np.rint((posed.landmarks[13, :2] + posed.landmarks[14, :2]) / 2).astype(int)
    driven, plain = (Fuse(mouth)((posed,))[y, x].astype(int) for mouth in ("driver", "none"))
    assert driven[1] > driven[0] + 20
    assert plain[1] < plain[0] + 20
    lost = Fuse("driver")((replace(posed, hint=None),))[y, x].astype(int)
    np.testing.assert_array_equal(lost, plain)


def test_a_turned_head_leaves_the_background_still(portrait: Portrait) -> None:
    assert portrait.matte is not None
    fuse, reenact = Fuse("none"), Reenact((portrait,))
    shown = [fuse(reenact(replace(STILL, turn=Angles(yaw, 0, 0)), 0.0)).astype(int) for yaw in (-25, 0, 25)]
    height, width = portrait.matte.shape
    corner = np.zeros((height, width), bool)
    corner[: height // 16] = True
    corner[: height // 2, : width // 10] = True
    assert portrait.matte[corner].max() == 0
    for one in shown:
        assert np.abs(one - portrait.pixels)[corner].max() <= 1


@pytest.mark.parametrize("turn", [Angles(20, 0, 0), Angles(-20, 0, 0)])
def test_nothing_of_the_face_is_torn(turn: Angles, portrait: Portrait) -> None:
    """Where skin is, the step between neighbours stays near that of the picture itself."""
    (posed,) = Reenact((portrait,))(replace(STILL, turn=turn), 0.0)
    out = Fuse("none")((posed,)).astype(int)
    steps = [
        np.percentile(np.abs(np.diff(image.astype(int), axis=1)).max(axis=2), 99.5) for image in (out, portrait.pixels)
    ]
    assert steps[0] < 1.5 * steps[1]
