from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.draw.mouth import mouth_hint
from mien.face.motion import Motion, identity_motion
from mien.face.pose import Angles
from mien.fuse.fuse import Fuse
from mien.manifest import Bundle
from mien.manifest.families import ONESHOT
from mien.paint.painter import MASK_SATURATION, Paint, Painter
from mien.portrait.portrait import Portrait
from mien.posed import Painting, PaintLevel
from mien.reenact.reenact import Reenact
from mien.runtime.opening import open_session
from mien.runtime.session import GraphSession

LEVELS: tuple[PaintLevel, ...] = ("carry", "full")
LINKS = ONESHOT.linked("generator")
SPEAKING = replace(identity_motion(), lips=np.full(9, 0.3), turn=Angles(6.0, -3.0, 4.0))


@pytest.fixture
def painter(whole_bundle: Bundle) -> Iterator[Painter]:
    painter = Painter(whole_bundle, partial(_opened, whole_bundle, "onnxruntime"))
    yield painter
    painter.close()


def _opened(bundle: Bundle, backend: str, graph: str) -> GraphSession:
    return open_session(bundle, graph, backend, "fp32", 1)


class Painted:
    """One portrait's paintings, motion by motion."""

    def __init__(self, portrait: Portrait, painter: Painter) -> None:
        self.reenact, self.paint = Reenact((portrait,)), Paint((portrait,), painter)

    def wanted(self, motion: Motion, seconds: float = 0.0, level: PaintLevel = "full") -> Painting | None:
        (painting,) = self.paint(self.reenact(motion, seconds), level)
        return painting

    def __call__(self, motion: Motion, seconds: float = 0.0, level: PaintLevel = "full") -> Painting:
        painting = self.wanted(motion, seconds, level)
        assert painting is not None
        return painting


def given(painter: Painter, role: str) -> NDArray[np.float32]:
    (spec,) = (spec for spec in painter.bundle.graph("generator").inputs if spec.role == role)
    return np.array(painter.session.inputs[spec.name][0], dtype=np.float32)


def test_a_painting_has_the_crops_side_and_place(portrait: Portrait, painter: Painter) -> None:
    painted = Painted(portrait, painter)
    painting = painted(SPEAKING)
    (posed,) = painted.reenact(SPEAKING, 0.0)
    side = painter.bundle.side
    assert painting.generated.shape == (side, side, 3)
    assert painting.mask.shape == (side, side)
    nose = painting.matrix[:, :2] @ posed.landmarks[1, :2] + painting.matrix[:, 2]
    assert np.abs(nose - side / 2).max() < 0.15 * side


def test_where_most_is_warp_nothing_is_paint(portrait: Portrait, painter: Painter) -> None:
    painting = Painted(portrait, painter)(SPEAKING)
    (spec,) = (spec for spec in painter.bundle.graph("generator").outputs if spec.role == "mask")
    given_mask, mask = painter.session.outputs[spec.name][0, 0], painting.mask
    np.testing.assert_allclose(mask, np.minimum(given_mask / MASK_SATURATION, 1), atol=1e-6)
    assert (mask[given_mask >= MASK_SATURATION] == 1).all()


def test_the_inner_mouth_is_erased_and_a_hint_lies_in_it_alone(
    portrait: Portrait, portraits: dict[str, Portrait], painter: Painter
) -> None:
    painted = Painted(portrait, painter)
    painted(SPEAKING)
    mouth = given(painter, "parsing")[7] > 0.99
    assert mouth.sum() > 5
    assert np.abs(given(painter, "warped")[:, mouth]).max() == 0
    assert np.abs(given(painter, "hint")).max() == 0
    driver = portraits["teo"]
    painted(replace(SPEAKING, hint=mouth_hint(driver.pixels, driver.landmarks)))
    hint = given(painter, "hint")
    assert np.abs(hint[:, mouth]).max() > 0.1
    assert np.abs(hint[:, given(painter, "parsing")[7] == 0]).max() == 0


def test_of_the_last_hint_nothing_stays(
    portrait: Portrait, portraits: dict[str, Portrait], whole_bundle: Bundle
) -> None:
    driver = portraits["teo"]
    hint = mouth_hint(driver.pixels, driver.landmarks)
    wide = replace(SPEAKING, lips=np.full(9, 0.6), turn=Angles(-8.0, 4.0, 0.0), hint=hint)
    once, twice = (Painter(whole_bundle, partial(_opened, whole_bundle, "onnxruntime")) for _ in range(2))
    Painted(portrait, once)(replace(SPEAKING, hint=hint))
    painted = Painted(portrait, twice)
    painted(wide)
    assert np.abs(given(twice, "hint") - given(once, "hint")).max() > 0.1
    painted(replace(SPEAKING, hint=hint))
    np.testing.assert_array_equal(given(twice, "hint"), given(once, "hint"))
    painted(SPEAKING)
    assert np.abs(given(twice, "hint")).max() == 0


def test_every_runtime_is_given_the_same(
    portrait: Portrait, portraits: dict[str, Portrait], whole_bundle: Bundle
) -> None:
    """Though the channels of features come last in OpenVINO's memory."""
    pytest.importorskip("openvino", reason="openvino (extra `cpu`) is needed to run graphs")
    driver = portraits["teo"]
    speaking = replace(SPEAKING, hint=mouth_hint(driver.pixels, driver.landmarks))
    found = []
    for backend in ("onnxruntime", "openvino"):
        painter = Painter(whole_bundle, partial(_opened, whole_bundle, backend))
        Painted(portrait, painter)(speaking)
        found.append(painter.session.inputs)
    for spec in whole_bundle.graph("generator").inputs:
        one, other = (arrays[spec.name] for arrays in found)
        assert other.flags.c_contiguous != spec.warped
        np.testing.assert_allclose(one, other, atol=1e-5 if spec.role in LINKS else 0)


def test_features_are_given_as_they_are_where_nothing_moves(portrait: Portrait, painter: Painter) -> None:
    own = replace(identity_motion(), landmarks=_fractions(portrait))
    painted = Painted(portrait, painter)
    painted(own)
    appearance = painted.paint._looks[portrait.digest]
    for name, feature in appearance.features.items():
        fed = painter.session.inputs[name][0].transpose(1, 2, 0)
        middle = slice(len(feature) // 4, -len(feature) // 4)
        np.testing.assert_allclose(fed[middle, middle], feature[middle, middle], atol=0.02 * np.abs(feature).max())


def test_carrying_moves_the_last_painting_to_the_new_shape(portrait: Portrait, painter: Painter) -> None:
    painted = Painted(portrait, painter)
    still = identity_motion()
    first = painted(still)
    same = painted(still, 0.04, "carry")
    assert np.abs(same.generated.astype(int) - first.generated).max() <= 1
    moved, afresh = painted(SPEAKING, 0.08, "carry"), painted(SPEAKING, 0.12)
    np.testing.assert_allclose(moved.matrix, afresh.matrix)
    assert not np.array_equal(moved.generated, first.generated)


def test_nothing_can_be_carried_before_it_was_painted(portrait: Portrait, painter: Painter) -> None:
    carried, painted = (Painted(portrait, painter)(SPEAKING, 0.0, level).generated for level in LEVELS)
    np.testing.assert_array_equal(carried, painted)


def test_nothing_is_carried_across_a_cut(portrait: Portrait, painter: Painter) -> None:
    painted, cut = Painted(portrait, painter), replace(SPEAKING, shot=1)
    painted(identity_motion())
    across, afresh = painted(cut, 0.04, "carry"), painted(cut, 0.08)
    np.testing.assert_array_equal(across.generated, afresh.generated)


def test_painting_can_be_switched_off_and_on(portrait: Portrait, painter: Painter) -> None:
    painted, posed = Painted(portrait, painter), Reenact((portrait,))(SPEAKING, 0.0)
    plain = Fuse("none")(posed)
    assert painted.wanted(SPEAKING, 0.0, "off") is None
    assert not np.array_equal(Fuse("none")(posed, (painted(SPEAKING),)), plain)


def test_frames_do_not_write_into_each_other(portrait: Portrait, painter: Painter) -> None:
    painted = Painted(portrait, painter)
    first = painted(SPEAKING)
    kept = first.generated.copy()
    painted(identity_motion(), 0.04)
    np.testing.assert_array_equal(first.generated, kept)


def _fractions(portrait: Portrait) -> NDArray[np.float64]:
    width, height = portrait.size
    return portrait.landmarks / np.array([width, height, width], dtype=np.float64)
