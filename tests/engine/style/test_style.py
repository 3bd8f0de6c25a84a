"""A portrait in a style, and what is painted of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.chain import open_chain
from mien.config import ReenactSettings
from mien.errors import SettingError
from mien.face.crop import crop_matrix
from mien.frame import Frame
from mien.fuse.fuse import Fuse
from mien.portrait.portrait import Portrait
from mien.posed import Painting
from mien.reenact.reenact import Reenact
from mien.stats import UNTIMED
from mien.style.opening import need_style
from mien.style.readable import face_outline
from mien.style.steady import SteadyStrokes
from mien.style.style import Style, styled
from mien.style.styler import Styler
from mien.style.wish import read_wish

Floats = NDArray[np.float32]
WIDTH, HEIGHT = 160, 192


def _off(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(int) - two.astype(int)).mean())


def _crop(portrait: Portrait, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """What a generator paints of a portrait, from another picture of it, and where."""
    matrix = crop_matrix(portrait.pose)
    matrix[:, 2] -= 48, 48
    return np.asarray(cv2.warpAffine(pixels, matrix, (WIDTH, HEIGHT)), dtype=np.uint8), matrix


def test_a_style_changes_the_picture_and_nothing_of_the_face(portrait: Portrait, styler: Styler, mix: Floats) -> None:
    drawn, look = styled(portrait, styler, mix, 1.0)
    assert _off(drawn.pixels, portrait.pixels) > 5
    assert drawn.digest != portrait.digest
    assert drawn.layers is not None
    assert portrait.layers is not None
    for part in ("head", "body"):
        after, before = getattr(drawn.layers, part), getattr(portrait.layers, part)
        assert after.pixels.shape == before.pixels.shape
        assert after.alpha is before.alpha
        assert _off(after.pixels, before.pixels) > 5
    assert (drawn.landmarks is portrait.landmarks, drawn.matte is portrait.matte) == (True, True)
    crop = float(np.hypot(*crop_matrix(portrait.pose)[0, :2]))
    assert 0 < look.scale <= 0.5 * crop + 1e-6


def test_no_strength_is_the_photograph(portrait: Portrait, styler: Styler, mix: Floats) -> None:
    drawn, look = styled(portrait, styler, mix, 0.0)
    np.testing.assert_array_equal(drawn.pixels, portrait.pixels)
    crop, matrix = _crop(portrait, portrait.pixels)
    (posed,) = Reenact((portrait,))(None, 0.0)
    np.testing.assert_array_equal(styler.patch(crop, matrix, look, posed, SteadyStrokes()), crop)


def test_more_strength_is_farther_from_the_photograph(portrait: Portrait, styler: Styler, mix: Floats) -> None:
    off = [_off(styled(portrait, styler, mix, share)[0].pixels, portrait.pixels) for share in (0.25, 0.5, 1.0)]
    assert off[0] < off[1] < off[2]
    assert off[1] == pytest.approx(2 * off[0], rel=0.1)


class Pooling:
    """A session that gives as strokes the means of its picture's cells, and as look and colours nothing."""

    backend, precision, threads = "numpy", "fp32", 1

    def __init__(self, height: int, width: int, whole: bool) -> None:
        self.inputs = {"picture": np.zeros((1, 3, height, width), np.float32)}
        self.inputs |= {name: np.zeros((1, 1), np.float32) for name in ("mix", "given", "fixed", "look")}
        self.outputs = {"strokes": np.zeros((1, 3, height // 2, width // 2), np.float32)}
        if whole:
            self.outputs |= {"look": np.zeros((1, 1), np.float32), "transfer": np.zeros((1, 12), np.float32)}

    def run(self) -> None:
        cells = self.inputs["picture"][0].reshape(
            3, *(size for n in self.outputs["strokes"].shape[2:] for size in (n, 2))
        )
        self.outputs["strokes"][0] = cells.mean(axis=(2, 4))

    def close(self) -> None:
        pass


@pytest.mark.parametrize("turn", [0.0, 10.0])
def test_strokes_of_a_patch_lie_where_those_of_the_whole_lie(portrait: Portrait, styler: Styler, turn: float) -> None:
    pooling = Styler(styler.bundle, Pooling(320, 320, True), Pooling(128, 112, False))
    pixels = np.ascontiguousarray(np.tile(_edges(portrait.size), (1, 1, 3)))
    into = np.array([[0.35, 0, 64.3], [0, 0.35, 61.1]])
    outline = face_outline(portrait.landmarks)
    whole, look = pooling.whole(pixels, into, np.ones(1, np.float32), 1.0, faces=(outline,))
    rotated = cv2.getRotationMatrix2D((256.0, 256.0), turn, 0.7)
    matrix = np.asarray(rotated) - [[0, 0, 256 - WIDTH / 2], [0, 0, 256 - HEIGHT / 2]]
    crop, wanted = (cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT)) for picture in (pixels, whole))
    (posed,) = Reenact((portrait,))(None, 0.0)
    found = pooling.patch(crop, matrix, look, posed, SteadyStrokes())
    middle = (slice(40, -40), slice(32, -32))
    bounds = [_off(np.roll(found, shift, axis)[middle], wanted[middle]) for axis in (0, 1) for shift in (-2, 2)]
    assert _off(found[middle], wanted[middle]) < 2.5
    assert _off(found[middle], wanted[middle]) < 0.5 * min(bounds), "two pixels away is worse"


def _edges(size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 1): soft spots all over."""
    noise = np.random.default_rng(0).standard_normal(size[::-1]).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 8.0)
    return np.asarray(np.clip(soft / soft.std() * 60 + 128, 0, 255)[..., None], dtype=np.uint8)


def test_a_drawn_portrait_takes_the_place_of_the_networks(portrait: Portrait, styler: Styler, mix: Floats) -> None:
    given = np.full((portrait.size[1] // 2, portrait.size[0] // 2, 3), (200, 30, 90), np.uint8)
    drawn, look = styled(portrait, styler, mix, 1.0, given)
    own, own_look = styled(portrait, styler, mix, 1.0)
    assert drawn.pixels.shape == portrait.pixels.shape
    np.testing.assert_array_equal(drawn.pixels, np.broadcast_to(given[0, 0], drawn.pixels.shape))
    np.testing.assert_array_equal(look.vector, own_look.vector)
    assert drawn.digest != own.digest
    assert drawn.layers is not None
    middle = tuple(size // 2 for size in drawn.layers.head.pixels.shape[:2])
    np.testing.assert_array_equal(drawn.layers.head.pixels[middle], given[0, 0])
    with pytest.raises(SettingError, match="expected the portrait's shape, 512 x 512, got 100 x 80"):
        styled(portrait, styler, mix, 1.0, np.zeros((80, 100, 3), np.uint8))


@pytest.mark.parametrize(
    ("wish", "picture", "reason"),
    [("monet", None, "style must be one of scream"), ("wave", "/nowhere.png", "expected a picture of the portrait")],
)
def test_a_style_that_cannot_be_had_is_refused_before_the_work(wish: str, picture: str | None, reason: str) -> None:
    with pytest.raises(SettingError, match=reason):
        need_style(wish, picture)
    with pytest.raises(SettingError, match="style_picture: expected a style"):
        ReenactSettings(style_picture="drawn.png")


def test_the_stage_changes_pictures_only(portrait: Portrait, styler: Styler) -> None:
    stage = Style((portrait,), styler, read_wish(styler.names[0]))
    posed = Reenact((portrait,))(None, 0.0)
    crop, matrix = _crop(portrait, portrait.pixels)
    painting = Painting(crop, np.zeros(crop.shape[:2], np.float32), matrix)
    (changed,), paintings = stage(posed, (painting,))
    assert changed.vertices is posed[0].vertices
    assert changed.portrait.digest != portrait.digest
    assert paintings is not None
    assert paintings[0] is not None
    assert paintings[0].mask is painting.mask
    assert _off(paintings[0].generated, crop) > 5
    assert stage(posed, (None,))[1] == (None,)
    assert stage(posed, None)[1] is None
    frame = Fuse("none")((changed,), None)
    assert _off(frame, changed.portrait.pixels) < 3, "at rest the frame is the styled picture"


def test_the_chain_has_a_row_for_it_and_refuses_unknown_styles(portrait: Portrait) -> None:
    settings = ReenactSettings(model="warp", style="scream:0.5")
    chain = open_chain((portrait,), settings, 1, warm=False)
    assert chain.names == ("reenact", "style", "fuse", "smooth")
    frame = Frame(portrait.pixels, 0, Fraction(1))
    drawn = chain(None, frame, "off", UNTIMED)
    chain.close()
    assert _off(drawn, portrait.pixels) > 3
    with pytest.raises(SettingError, match="style must be one of"):
        open_chain((portrait,), replace(settings, style="monet"), 1)
