from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mien.face.motion import Motion, identity_motion
from mien.face.pose import Angles
from mien.fuse.fuse import Fuse
from mien.portrait.portrait import Portrait
from mien.posed import Posed
from mien.reenact.reenact import Reenact
from mien.smooth.smooth import Smooth

Pixels = NDArray[np.uint8]
STILL = identity_motion()


def posed(portrait: Portrait, motion: Motion = STILL) -> Posed:
    return Reenact((portrait,))(motion, 0.0)[0]


def noisy(pixels: Pixels, seed: int, sigma: float = 4.0) -> Pixels:
    noise = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def test_strength_zero_passes_the_same_array_on(portrait: Portrait) -> None:
    smooth = Smooth(0.0)
    for _ in range(3):
        assert smooth(portrait.pixels, (posed(portrait),)) is portrait.pixels


def test_a_still_input_stays_itself_to_the_bit(portrait: Portrait) -> None:
    smooth, still = Smooth(0.7), posed(portrait)
    for _ in range(12):
        out = smooth(portrait.pixels.copy(), (still,))
        np.testing.assert_array_equal(out, portrait.pixels)


def test_a_still_input_is_reached_after_noise_but_for_rounding(portrait: Portrait) -> None:
    smooth, still = Smooth(0.5), posed(portrait)
    smooth(noisy(portrait.pixels, 0), (still,))
    for _ in range(30):
        out = smooth(portrait.pixels.copy(), (still,))
    assert np.abs(out.astype(int) - portrait.pixels).max() <= 1


def test_noise_is_damped(portrait: Portrait) -> None:
    smooth, still = Smooth(0.7), posed(portrait)
    for seed in range(12):
        out = smooth(noisy(portrait.pixels, seed), (still,))
    before = np.abs(noisy(portrait.pixels, 11).astype(int) - portrait.pixels).mean()
    assert np.abs(out.astype(int) - portrait.pixels).mean() < 0.75 * before


def test_a_jump_in_content_does_not_trail(portrait: Portrait) -> None:
    smooth, still = Smooth(0.9), posed(portrait)
    smooth(portrait.pixels, (still,))
    changed = portrait.pixels.copy()
    changed[200:300, 200:300] = 255 - changed[200:300, 200:300] // 4
    out = smooth(changed, (still,))
    jumped = np.abs(changed.astype(int) - portrait.pixels).max(axis=2) > 25
    np.testing.assert_array_equal(out[jumped], changed[jumped])


def test_the_picture_is_carried_along_by_the_flow(portrait: Portrait) -> None:
    """A head that drifts by a third of a pixel a frame, with noise: carrying it along damps noise without blur."""
    fuse, smooth = Fuse("none"), Smooth(0.6)
    reenact = Reenact((portrait,))
    x0, y0, x1, y1 = 190, 200, 330, 330
    for i in range(10):
        motion = replace(STILL, translation=np.array([i / 3 / portrait.pose.scale, 0.0]))
        moved = reenact(motion, 0.0)
        clean = fuse(moved)
        spoiled = noisy(clean, i)
        out = smooth(spoiled, moved)
    off = [np.abs(one.astype(int) - clean)[y0:y1, x0:x1].mean() for one in (out, spoiled)]
    assert off[0] < 0.9 * off[1]
    sharp = [np.abs(np.diff(one[y0:y1, x0:x1].astype(int), axis=1)).mean() for one in (clean, out)]
    assert sharp[1] > 0.85 * sharp[0]


def test_without_noise_a_moving_head_is_not_blurred(portrait: Portrait) -> None:
    fuse, smooth, reenact = Fuse("none"), Smooth(0.6), Reenact((portrait,))
    for i in range(8):
        motion = replace(STILL, turn=Angles(0.4 * i, 0.0, 0.0))
        moved = reenact(motion, 0.0)
        fused = fuse(moved)
        out = smooth(fused, moved)
    clean = fused[190:340, 180:340].astype(int)
    assert np.abs(out[190:340, 180:340] - clean).mean() < 1.5


def test_another_portrait_begins_anew(portraits: dict[str, Portrait]) -> None:
    smooth = Smooth(0.9)
    one, other = portraits["aldo"], portraits["teo"]
    smooth(one.pixels, (posed(one),))
    out = smooth(other.pixels, (posed(other),))
    np.testing.assert_array_equal(out, other.pixels)


def test_what_was_given_is_not_changed(portrait: Portrait) -> None:
    smooth, still = Smooth(0.7), posed(portrait)
    first, second = noisy(portrait.pixels, 1), noisy(portrait.pixels, 2)
    copies = first.copy(), second.copy()
    smooth(first, (still,))
    out = smooth(second, (still,))
    np.testing.assert_array_equal(first, copies[0])
    np.testing.assert_array_equal(second, copies[1])
    assert out is not second


def test_nothing_is_blended_across_a_cut(portrait: Portrait) -> None:
    first = posed(portrait)
    second = posed(portrait, replace(STILL, shot=1))
    a, b = noisy(portrait.pixels, 0), noisy(portrait.pixels, 1)
    smooth = Smooth(0.9)
    smooth(a, (first,))
    np.testing.assert_array_equal(smooth(b.copy(), (second,)), b)
    assert (smooth(a.copy(), (second,)) != a).any(), "within the shot it is"
