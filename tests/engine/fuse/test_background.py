from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.chain import background_of
from mien.errors import FaceError, SettingError
from mien.face.motion import identity_motion
from mien.face.pose import Angles
from mien.fuse.background import Background, colour_of, cut, filling
from mien.fuse.fuse import Fuse
from mien.portrait.portrait import Portrait
from mien.posed import Painting, Posed
from mien.reenact.reenact import Reenact
from mien.smooth.smooth import Smooth

Pixels = NDArray[np.uint8]
STILL = identity_motion()
GREEN = (0, 177, 64)


def posed(portrait: Portrait, yaw: float = 0.0) -> Posed:
    return Reenact((portrait,))(replace(STILL, turn=Angles(yaw, 0, 0)), 0.0)[0]


def shown(portrait: Portrait, background: str, yaw: float = 0.0) -> Pixels:
    return Fuse("none", 1, background_of(background))((posed(portrait, yaw),))


def surely_person(portrait: Portrait) -> NDArray[np.bool_]:
    return np.asarray(shown(portrait, "alpha")[..., 3] == 255)


@pytest.mark.parametrize(
    ("name", "colour"), [("#00b140", (0, 177, 64)), ("green", GREEN), ("#12345", None), ("mauve", None)]
)
def test_colours(name: str, colour: tuple[int, int, int] | None) -> None:
    assert colour_of(name) == colour


def test_what_is_kept_stays_as_it_was(portrait: Portrait) -> None:
    one = posed(portrait, 10)
    np.testing.assert_array_equal(Fuse("none", 1, background_of("keep"))((one,)), Fuse("none")((one,)))


def test_a_colour_stands_behind_and_nothing_of_the_old_background_is_left(portrait: Portrait) -> None:
    assert portrait.matte is not None
    out = shown(portrait, "green")
    assert (out[portrait.matte == 0] == GREEN).all()
    person = surely_person(portrait)
    assert 0.1 < person.mean() < 0.9
    kept = Fuse("none")((posed(portrait),))
    assert np.abs(out.astype(int) - kept)[person].max() <= 1


def test_a_turned_head_takes_its_outline_along(portrait: Portrait) -> None:
    green = [(shown(portrait, "green", yaw) == GREEN).all(axis=2) for yaw in (-20, 20)]
    left, right = (float(np.argwhere(~one)[:, 1].mean()) for one in green)
    assert abs(left - right) > 1
    for one in green:
        assert one[: one.shape[0] // 16].all(), "above the head"


def test_nothing_behind_is_transparent_and_the_rest_is_the_same_person(portrait: Portrait) -> None:
    for yaw in (0.0, 15.0):
        clear, green = shown(portrait, "alpha", yaw).astype(float), shown(portrait, "green", yaw)
        assert clear.shape[2] == 4
        alpha = clear[..., 3:] / 255
        assert 0.0 == alpha.min() < alpha.max() == 1.0
        assert np.abs(clear[..., :3] * alpha + np.array(GREEN) * (1 - alpha) - green).max() <= 2, (
            "two layers are rounded each"
        )


def test_soft_edges_have_the_persons_colours(portrait: Portrait) -> None:
    """What is mixed with the old background in the picture is not, once it is cut out: laid back over the old one, the
    picture is there again."""
    assert portrait.background is not None
    layers = cut(portrait, Background("alpha"))
    alpha = layers.person[..., 3:] / 255.0
    edge = (alpha[..., 0] > 0.2) & (alpha[..., 0] < 0.9)
    assert edge.sum() > 100
    again = layers.person[..., :3] * alpha + portrait.background * (1 - alpha)
    within = (layers.person[..., :3] > 0).all(axis=2) & (layers.person[..., :3] < 255).all(axis=2)  # not clipped
    assert np.abs(again - portrait.pixels)[edge & within].max() <= 2


def test_a_blurred_background_is_smooth_and_the_person_sharp(portrait: Portrait) -> None:
    assert portrait.matte is not None
    rng = np.random.default_rng(0)
    assert portrait.background is not None
    noisy = replace(portrait, background=rng.integers(0, 256, portrait.background.shape, np.uint8))
    out = shown(noisy, "blur").astype(int)
    behind = portrait.matte == 0
    assert np.abs(np.diff(out, axis=1))[behind[:, 1:]].max() < 16
    kept = Fuse("none")((posed(portrait),))
    assert np.abs(out - kept)[surely_person(portrait)].max() <= 1


def test_paint_ends_where_the_person_does(portrait: Portrait) -> None:
    """A generator's crop reaches beyond the head: there it must not show."""
    side = 64
    width, height = portrait.size
    matrix = np.array([[side / width, 0, 0], [0, side / height, 0]], np.float64)
    red = Painting(np.full((side, side, 3), (255, 0, 0), np.uint8), np.zeros((side, side), np.float32), matrix)
    out = Fuse("none", 1, background_of("green"))((posed(portrait),), (red,))
    assert portrait.matte is not None
    assert (out[portrait.matte == 0] == GREEN).all()
    y, x = np.rint(portrait.landmarks[4, 1::-1]).astype(int)
    assert out[y, x, 0] > 200
    assert out[y, x, 1] < 60


def test_a_picture_fills_the_frame() -> None:
    y, x = np.mgrid[:40, :100]
    picture = np.dstack([x * 2, y * 4, np.full_like(x, 9)]).astype(np.uint8)
    wide = filling(picture, (200, 200))
    assert wide.shape == (200, 200, 3)
    assert (wide[..., 2] == 9).all()
    assert wide[100, 100].tolist() == pytest.approx([100, 80, 9], abs=3), "middle on middle"
    assert wide[0, 100, 1] <= 4
    assert wide[-1, 100, 1] >= 152
    assert wide[100, 0, 0] == pytest.approx(60, abs=4), "left and right are cut"
    small = filling(picture, (10, 4))
    assert small.shape == (4, 10, 3)
    assert np.abs(small[..., 2].astype(int) - 9).max() == 0


def test_smoothing_takes_transparency_along(portrait: Portrait) -> None:
    fuse, smooth, reenact = Fuse("none", 1, Background("alpha")), Smooth(0.5), Reenact((portrait,))
    for number in range(3):
        still = reenact(STILL, number / 25)
        out = smooth(fuse(still), still)
    np.testing.assert_allclose(out.astype(int), shown(portrait, "alpha").astype(int), atol=1)


def test_without_a_matte_only_the_own_background_can_be_shown(portrait: Portrait) -> None:
    bare = replace(portrait, matte=None, background=None, layers=None)
    assert Fuse("none")((posed(bare),)).shape[2] == 3
    with pytest.raises(FaceError, match="could not be told from its background"):
        shown(bare, "blur")


def test_a_background_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="background must be one of keep, blur, alpha, black") as caught:
        background_of(str(tmp_path / "missing.png"))
    assert "\n" not in str(caught.value)
