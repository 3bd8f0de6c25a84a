import numpy as np
import pytest
import torch
from torch import Tensor

from mien.face.topology import PARTS
from mien_export.families.oneshot_live.losses import (
    REGIONS,
    SHARES,
    UNCOVERED,
    TwoScales,
    adversarial,
    feature_matching,
    gradient_l1,
    mask_target,
    mask_term,
    patch_weights,
    regions,
    weighted_l1,
    weights,
)

SIDE = 64


@pytest.fixture
def parsing() -> Tensor:
    """A face with a small open mouth and an eye."""
    out = torch.zeros(1, len(PARTS), SIDE, SIDE)
    out[0, PARTS.index("face"), 8:60, 8:56] = 1
    out[0, PARTS.index("eyes"), 20:24, 18:28] = 1
    out[0, PARTS.index("upper_lip"), 44:46, 24:40] = 1
    out[0, PARTS.index("lower_lip"), 50:53, 24:40] = 1
    out[0, PARTS.index("teeth"), 46:50, 26:38] = 1
    return out


def test_regions_share_every_pixel(parsing: Tensor) -> None:
    shares = regions(parsing)
    np.testing.assert_allclose(shares.sum(dim=1), 1.0, atol=1e-6)
    assert shares.min() >= 0
    assert shares[0, REGIONS.index("inner_mouth")].sum() == 4 * 12
    assert shares[0, REGIONS.index("eyes")].sum() > 4 * 10  # lids belong to it


def test_a_mouth_counts_as_much_as_told_however_small(parsing: Tensor) -> None:
    weight = weights(parsing, torch.ones(1, 1, SIDE, SIDE))
    assert weight.sum().item() == pytest.approx(1.0)
    share = {name: (weight * regions(parsing)[:, i : i + 1]).sum().item() for i, name in enumerate(REGIONS)}
    assert share["inner_mouth"] / share["face"] == pytest.approx(SHARES["inner_mouth"] / SHARES["face"], rel=1e-3)


def test_padding_has_no_weight(parsing: Tensor) -> None:
    valid = torch.ones(1, 1, SIDE, SIDE)
    valid[..., 40:, :] = 0
    assert weights(parsing, valid)[..., 40:, :].abs().max() == 0


def test_a_closed_slit_does_not_rule(parsing: Tensor) -> None:
    parsing[0, PARTS.index("teeth")] = 0
    parsing[0, PARTS.index("teeth"), 46, 30] = 1
    weight = weights(parsing, torch.ones(1, 1, SIDE, SIDE))
    assert weight[0, 0, 46, 30] < 0.1


def test_what_comes_into_view_counts_more_than_its_area(parsing: Tensor) -> None:
    valid, erased = torch.ones(1, 1, SIDE, SIDE), torch.zeros(1, 1, SIDE, SIDE)
    erased[..., 20:50, 5:9] = 1  # across the face's edge
    erased[..., 46:50, 26:38] = 1  # and the inner mouth, which is a region anyway
    plain, told = weights(parsing, valid), weights(parsing, valid, erased)
    assert told.sum().item() == pytest.approx(1.0)
    strip = told[..., 20:50, 5:9].sum() / told[..., 46:50, 26:38].sum()
    assert strip.item() == pytest.approx(UNCOVERED / SHARES["inner_mouth"], rel=1e-3)
    assert told[..., 20:50, 5:9].sum() > 4 * plain[..., 20:50, 5:9].sum()
    torch.testing.assert_close(weights(parsing, valid, 0 * erased), plain)


def test_l1_is_the_weighted_mean(parsing: Tensor) -> None:
    weight = weights(parsing, torch.ones(1, 1, SIDE, SIDE))
    a = torch.zeros(1, 3, SIDE, SIDE)
    assert weighted_l1(a, a + 0.25, weight).item() == pytest.approx(0.25)
    assert gradient_l1(a, a + 0.25, weight).item() == 0
    assert gradient_l1(a, torch.rand(a.shape), weight).item() > 0.1


def test_the_mask_keeps_a_good_warp_and_nothing_erased() -> None:
    truth = torch.rand(1, 3, SIDE, SIDE)
    warped, painted = truth.clone(), truth + 0.3
    warped[..., : SIDE // 2] += 0.5
    erased = torch.zeros(1, 1, SIDE, SIDE)
    erased[..., -8:, :] = 1
    keep = mask_target(warped, painted, truth, erased)
    assert keep[0, 0, 8:-8, : SIDE // 2 - 4].max() == 0
    assert keep[0, 0, 8:-8, SIDE // 2 + 4 :].min() == 1
    assert keep[0, 0, -8:].max() == 0


def test_the_masks_term_is_least_at_its_goal() -> None:
    goal = (torch.rand(2, 1, 16, 16) > 0.5).float()
    weight = torch.full((2, 1, 16, 16), 1 / 256)
    at_goal = mask_term(goal, goal, weight)
    assert at_goal < 1e-3
    assert mask_term(torch.full_like(goal, 0.5), goal, weight).item() == pytest.approx(np.log(2), rel=1e-4)


def test_patches_count_by_region(parsing: Tensor) -> None:
    weight = weights(parsing, torch.ones(1, 1, SIDE, SIDE))
    pooled = patch_weights(weight, torch.zeros(1, 1, 8, 8))
    assert pooled.sum().item() == pytest.approx(1.0)
    assert pooled[0, 0, 5:7].sum() > pooled[0, 0, 0:2].sum()


def test_the_critics_terms_vanish_where_they_should(parsing: Tensor) -> None:
    torch.manual_seed(0)
    critic, picture = TwoScales(), torch.rand(1, 3, SIDE, SIDE)
    scores = critic(picture, parsing)
    weight = weights(parsing, torch.ones(1, 1, SIDE, SIDE))
    assert feature_matching(scores, scores, weight).item() == 0
    assert feature_matching(critic(picture * 0.5, parsing), scores, weight).item() > 0
    ones = [(torch.ones_like(score), features) for score, features in scores]
    assert adversarial(ones, 1.0, weight).item() == pytest.approx(0.0, abs=1e-6)
    assert adversarial(ones, 0.0, weight).item() == pytest.approx(1.0)
