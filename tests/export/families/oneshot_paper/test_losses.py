"""The terms of eq. 3.9 to 3.15, on numbers small enough to be worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")

from mien_export.families.oneshot_paper.losses import (  # noqa: E402
    PaperLosses,
    discriminator_adversarial,
    generator_adversarial,
)
from mien_export.train.terms import identity_l1, l1, perceptual_l1  # noqa: E402


def scores(*values: float) -> Any:
    """Three scales, each with a map before the scores."""
    return tuple((torch.full((2, 4, 3, 3), 7.0), torch.full((2, 1, 2, 2), value)) for value in values)


def test_the_weights_are_the_thesiss() -> None:
    weights = PaperLosses()
    assert (weights.appearance, weights.reconstruction) == (25, 25)
    assert (weights.identity, weights.perceptual, weights.adversarial) == (1, 1, 1)


def test_l1_is_a_mean() -> None:
    assert l1(torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), -0.5)) == 0.5


def test_the_generator_aims_at_one() -> None:
    assert generator_adversarial(scores(1, 1, 1)) == 0
    assert generator_adversarial(scores(0, 3, 1)) == pytest.approx((1 + 4) / 2)


def test_discriminators_tell_one_from_zero() -> None:
    assert discriminator_adversarial(scores(1, 1, 1), scores(0, 0, 0)) == 0
    assert discriminator_adversarial(scores(0, 1, 1), scores(0, 0, 2)) == pytest.approx((1 + 4) / 2)


def test_perceptual_sums_over_layers_and_spares_the_guide() -> None:
    result, guide = (torch.full((1, 3, 2, 2), value, requires_grad=True) for value in (0.5, 0.0))
    value = perceptual_l1(lambda p: (1 * p, 4 * p), result, guide)
    assert value.item() == pytest.approx(0.5 + 2.0)
    torch.autograd.backward(value)
    assert result.grad.abs().sum() > 0
    assert guide.grad is None


def test_identity_is_free_of_the_embeddings_length() -> None:
    def turned(picture: Any) -> Any:
        return torch.nn.functional.one_hot(picture[:, 0, 0, 0].long(), 16).float() + 0 * picture.mean()

    same, other = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    assert identity_l1(turned, same, same) == 0
    assert identity_l1(turned, same, other) == pytest.approx(2 / 16 * 4)
