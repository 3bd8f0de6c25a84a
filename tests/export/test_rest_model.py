"""The estimate behind the rest shape, on fields that are known."""

from __future__ import annotations

import numpy as np

from mien.face.topology import canonical_face
from mien_export.rest_model import DEVIATIONS, covariance, estimator, unposed, without_side
from mien_export.samples.basis import INDEX, expression_basis

POINTS = canonical_face().points
NAMES = ("jaw_open", "smile", "brow_raise")
FIELDS = unposed(expression_basis(POINTS)[[INDEX[name] for name in NAMES]])


def _seen(field: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(field[:468, :2].ravel())


def test_strengths_come_back_and_are_surer_than_before() -> None:
    weights, deviations = estimator(FIELDS, np.zeros((1, 478, 3)), np.eye(3) * 0.25)
    assert (deviations < 0.35).all()
    for true in ((0.8, 0.0, 0.0), (0.0, 0.7, 0.0), (0.3, 0.4, 0.6)):
        found = weights @ _seen(np.tensordot(np.array(true), FIELDS, 1))
        np.testing.assert_allclose(found, true, atol=0.3)
        assert found[np.argmax(true)] > 0.6 * max(true)


def test_what_identity_explains_as_well_is_not_taken_for_expression() -> None:
    plain, _ = estimator(FIELDS, np.zeros((1, 478, 3)), np.eye(3) * 0.25)
    weights, deviations = estimator(FIELDS, FIELDS[1:2] * 2.0, np.eye(3) * 0.25)
    smile = _seen(FIELDS[1])
    assert weights[1] @ smile < 0.3 * (plain[1] @ smile)
    assert deviations[1] > 0.4
    assert weights[0] @ _seen(FIELDS[0]) > 0.9 * (plain[0] @ _seen(FIELDS[0]))


def test_unposed_fields_have_no_turn_left_in_them() -> None:
    turned = np.stack([np.column_stack([-POINTS[:, 1], POINTS[:, 0], np.zeros(478)]), POINTS + 1.0])
    np.testing.assert_allclose(unposed(turned), 0.0, atol=1e-9)


def test_the_covariance_is_positive_and_holds_the_deviations() -> None:
    names = [f"{name}{side}" for name in DEVIATIONS for side in ("_L", "_R")]
    strengths = covariance(names)
    np.testing.assert_allclose(strengths, strengths.T, atol=1e-12)
    assert np.linalg.eigvalsh(strengths).min() > 0
    np.testing.assert_allclose(np.sqrt(np.diag(strengths)), [DEVIATIONS[without_side(n)] for n in names], rtol=0.1)
