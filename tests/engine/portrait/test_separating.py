"""Which pixels of a person belong to the head."""

from __future__ import annotations

import cv2
import numpy as np

from mien.face import topology
from mien.face.face import eye_distance
from mien.portrait.portrait import Portrait
from mien.portrait.separating import own_colours, surely_behind, without_threads, without_walls


def test_a_wall_that_is_taken_for_a_hat_is_none_and_a_hat_of_its_own_colour_is_one() -> None:
    rng = np.random.default_rng(0)
    wall, red, skin = (90, 110, 120), (170, 30, 40), (210, 160, 130)
    pixels = np.empty((120, 120, 3), np.uint8)
    pixels[:] = wall
    pixels[30:50, 40:80], pixels[50:100, 40:80] = red, skin
    pixels = np.clip(pixels + rng.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8)
    shares, person = np.zeros((5, 120, 120), np.float32), np.zeros((120, 120), np.float32)
    shares[0, 50:100, 40:80], person[50:100, 40:80] = 1, 1
    shares[2, 10:50, 40:80] = 0.9  # a hat, of which only the lower half is one; the network of persons sees neither
    own = own_colours(pixels, shares, person, 20.0)
    kept = without_walls(shares, person, own)
    assert kept[2, 14:26, 44:76].max() < 0.1
    assert kept[2, 34:50, 44:76].min() > 0.8
    np.testing.assert_array_equal(kept[0], shares[0])
    behind = surely_behind(person, own)
    assert behind[14:26, 44:76].min() > 0.9, "the wall"
    assert behind[34:96, 44:76].max() < 0.1, "hat and face"


def test_the_edge_of_a_shoulder_does_not_go_along_with_the_head(portrait: Portrait) -> None:
    landmarks, (width, height) = portrait.landmarks, portrait.size
    eyes, chin, corner = eye_distance(landmarks), round(landmarks[152, 1]), round(landmarks[33, 1])
    face = np.zeros((height, width), np.float32)
    cv2.fillPoly(face, [np.rint(landmarks[list(topology.OVAL), :2]).astype(np.int32)], 1)
    shoulder, strand = chin - round(0.2 * eyes), corner
    share, whole = face.copy(), face.copy()
    share[strand : strand + 2] = share[shoulder : shoulder + 2] = 1
    whole[strand : strand + 2] = whole[shoulder:] = 1
    out = without_threads(share, whole, landmarks)
    np.testing.assert_array_equal(out[face > 0], 1)
    assert out[shoulder, :20].max() == 0
    assert out[strand].min() == 1, "hair beside the face stays"
