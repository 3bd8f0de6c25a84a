import pytest
import torch

from mien_export.families.oneshot_live.networks import SIZES, UNSURE, Appearance, LiveGenerator, decided, fused
from mien_export.families.oneshot_pairs import warp_features

PARAMETERS = {"xs": 0.31, "s": 0.75, "m": 3.1, "l": 4.9, "xl": 8.9, "gpu": 13.2}
"""Millions, of the generators that the design's speeds were measured with."""


def inputs(side: int, count: int = 1) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(1)
    parsing = torch.rand(count, 9, side, side)
    return parsing, torch.rand(count, 3, side, side) * 2 - 1, torch.rand(count, 3, side, side) * 2 - 1


@pytest.mark.parametrize("name", SIZES)
def test_shapes_ranges_and_sizes(name: str) -> None:
    size = SIZES[name]
    appearance, generator = Appearance(size), LiveGenerator(size)
    side = 64
    parsing, warped, hint = inputs(side)
    with torch.no_grad():
        features = appearance(warped, parsing)
        painted, mask = generator(features, parsing, warped, hint)
    assert [tuple(f.shape) for f in features] == [(1, c, r * side // 256, r * side // 256) for r, c in size.features]
    assert painted.shape == (1, 3, side, side)
    assert mask.shape == (1, 1, side, side)
    assert painted.abs().max() <= 1
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert sum(p.numel() for p in generator.parameters()) / 1e6 == pytest.approx(PARAMETERS[name], rel=0.02)


def test_every_input_and_weight_has_a_say() -> None:
    size = SIZES["xs"]
    appearance, generator = Appearance(size), LiveGenerator(size)
    parsing, warped, hint = (x.requires_grad_() for x in inputs(64))
    source, source_parsing, *_ = (x.requires_grad_() for x in (torch.rand(1, 3, 64, 64), torch.rand(1, 9, 64, 64)))
    painted, mask = generator(appearance(source, source_parsing), parsing, warped, hint)
    (painted.square().sum() + mask.square().sum()).backward()
    for tensor in (parsing, warped, hint, source, source_parsing, *appearance.parameters(), *generator.parameters()):
        assert tensor.grad is not None
        assert tensor.grad.abs().sum() > 0


def test_the_mask_keeps_the_warped_picture() -> None:
    warped, painted = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    assert (fused(warped, painted, torch.ones(1, 1, 4, 4)) == warped).all()
    assert (fused(warped, painted, torch.zeros(1, 1, 4, 4)) == painted).all()
    assert (fused(warped, painted, torch.full((1, 1, 4, 4), 0.25)) == 0.75).all()


def test_features_move_as_the_flow_says() -> None:
    feature = torch.rand(1, 5, 16, 16)
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    still = torch.stack([x, y], dim=-1)[None]
    (same,) = warp_features((feature,), still)
    torch.testing.assert_close(same, feature)
    (moved,) = warp_features((feature,), still + torch.tensor([8.0, 0.0]))
    torch.testing.assert_close(moved[..., :-2], feature[..., 2:])
    torch.testing.assert_close(moved[..., -1], feature[..., -1])  # its border, repeated


def test_a_nearly_sure_mask_is_made_sure() -> None:
    mask = torch.tensor([0.0, UNSURE / 2, 0.5, 1 - UNSURE / 2, 1.0])
    assert decided(mask).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
