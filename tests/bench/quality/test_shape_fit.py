from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.pose import Angles, rotation_of
from mien_bench.quality.dlib_face import PROPORTIONS, proportions, shape_leak
from mien_bench.quality.shape_fit import basis68, fit_shape

Array = NDArray[np.float64]
TURN = Angles(15.0, -8.0, 5.0)


def seen(identity: Array, expression: Array, turn: Angles = TURN, noise: float = 0.0) -> Array:
    """(68, 2): points of a face in a picture, with `noise` pixels."""
    basis = basis68()
    shape = basis.neutral + np.tensordot(identity, basis.identity, 1) + np.tensordot(expression, basis.expression, 1)
    random = np.random.default_rng(5)
    points: Array = 90 * (shape @ rotation_of(turn).T)[:, :2] + [320, 200] + random.normal(0, noise, (68, 2))
    return points


def doing(**shapes: float) -> Array:
    """(E,): strengths of shapes on both sides of the face."""
    return np.array([shapes.get(name.removesuffix("_L").removesuffix("_R"), 0.0) for name in basis68().names])


@pytest.fixture(scope="module")
def somebody() -> Array:
    return np.random.default_rng(2).normal(0, 0.8, len(basis68().identity))


def test_the_basis_is_a_face_in_a_picture_s_axes() -> None:
    basis = basis68()
    assert basis.neutral[45, 0] - basis.neutral[36, 0] == pytest.approx(1.0, abs=1e-3)
    assert basis.neutral[8, 1] > basis.neutral[57, 1] > basis.neutral[27, 1]
    assert basis.neutral[30, 2] < basis.neutral[0, 2]
    chin = basis.expression[basis.names.index("jawOpen"), 8]
    assert chin[1] > 0.2


@pytest.mark.parametrize("turn", [Angles(0.0, 0.0, 0.0), TURN, Angles(-25.0, 12.0, -20.0)])
def test_pose_is_found_whatever_the_face_does(somebody: Array, turn: Angles) -> None:
    found = fit_shape(seen(somebody, doing(jawOpen=0.6, browInnerUp=0.5), turn, noise=0.5)).angles
    assert (found.yaw, found.pitch, found.roll) == pytest.approx((turn.yaw, turn.pitch, turn.roll), abs=2.0)


def test_strengths_that_are_known_are_recovered(somebody: Array) -> None:
    made = doing(mouthSmile=0.7, browOuterUp=0.5, jawOpen=0.4, eyeSquint=0.6)
    known = fit_shape(seen(somebody, made, noise=0.5), somebody)
    assert known.error < 0.01
    other = doing(mouthFrown=0.9, browDown=0.8)
    assert np.corrcoef(known.expression, made)[0, 1] > 0.7
    assert np.corrcoef(known.expression, other)[0, 1] < 0.3


def test_strengths_stay_within_what_a_face_can_do(somebody: Array) -> None:
    wild = seen(somebody, doing(jawOpen=0.5)) + np.random.default_rng(0).normal(0, 6, (68, 2))
    found = fit_shape(wild).expression
    assert found.min() >= 0
    assert found.max() <= 1.3


def test_proportions_are_of_the_face_not_of_pose_or_size(somebody: Array) -> None:
    front, aside = fit_shape(seen(somebody, doing(), Angles(0, 0, 0))), fit_shape(seen(somebody, doing()) * 2)
    assert proportions(front) == pytest.approx(proportions(aside), abs=0.03)


def test_a_leak_is_the_share_of_the_guides_difference_that_arrives() -> None:
    random = np.random.default_rng(4)
    guides = random.normal(0, 0.1, (6, len(PROPORTIONS)))
    rows = [
        (f"reference {r}", f"guide {g}", guides[g], own + share * guides[g])
        for share in (0.25,)
        for r, own in enumerate(random.normal(0, 0.2, (4, len(PROPORTIONS))))
        for g in range(6)
    ]
    assert shape_leak(rows) == pytest.approx(0.25)
    assert shape_leak([(one, guide, given, np.zeros(3)) for one, guide, given, _ in rows]) == pytest.approx(0.0)
    assert np.isnan(shape_leak(rows[:1]))
