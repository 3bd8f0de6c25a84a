"""The portrait's label map goes along with the portrait; the parts of the face are the target's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face import classes, topology
from mien.face.motion import Motion, identity_motion
from mien.face.pose import Angles
from mien.paint.carried import CarriedLabels, fine_labels
from mien.paint.scene import Appearance, Scene, Subject
from mien.plane import Box, coarser, placed
from mien.portrait.portrait import Portrait
from mien.reenact.reenact import Reenact

SIDE, FINE = 128, 256


def carried(portrait: Portrait, motion: Motion) -> tuple[NDArray[np.uint8], Scene]:
    appearance = Appearance.of(Subject.of(portrait, SIDE), {}, {})
    (posed,) = Reenact((portrait,))(motion, 0.0)
    scene = Scene(SIDE, Box.whole(SIDE, SIDE), 1)
    scene.place(appearance, posed)
    scene.rasterise_portrait()
    return CarriedLabels(appearance.subject, FINE)(scene), scene


@pytest.mark.parametrize("layered", [True, False])
def test_at_rest_it_is_the_portraits_own(portrait: Portrait, layered: bool) -> None:
    portrait = portrait if layered else replace(portrait, layers=None)
    found, _ = carried(portrait, identity_motion())
    own = fine_labels(Subject.of(portrait, SIDE), FINE)
    assert (found == own).mean() > 0.95
    for kind in (classes.HAIR, classes.SKIN, classes.NOSE, classes.LEFT_EYE, classes.CLOTH):
        both = (found == kind) & (own == kind)
        assert both.sum() > 0.6 * ((found == kind) | (own == kind)).sum()


@pytest.mark.parametrize("layered", [True, False])
def test_parts_are_where_the_target_has_them(portrait: Portrait, layered: bool) -> None:
    turned = replace(identity_motion(), turn=Angles(12.0, 5.0, 0.0))
    found, scene = carried(portrait if layered else replace(portrait, layers=None), turned)
    points = placed(scene.posed.landmarks, coarser(scene.matrix, SIDE / FINE))
    for outline, kind in ((topology.LEFT_EYE, classes.LEFT_EYE), (topology.RIGHT_BROW, classes.RIGHT_BROW)):
        rows, columns = np.nonzero(found == kind)
        low, high = points[list(outline), :2].min(axis=0), points[list(outline), :2].max(axis=0)
        np.testing.assert_allclose([columns.min(), rows.min()], low, atol=2)
        np.testing.assert_allclose([columns.max(), rows.max()], high, atol=2)
    x, y = np.rint(points[topology.OVAL[0], :2]).astype(int)
    assert found[y + 12, x] in (classes.SKIN, classes.HAIR)
