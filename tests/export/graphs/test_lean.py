from __future__ import annotations

import torch

from mien_export.families.family import Trained
from mien_export.families.oneshot_live.graphs import Factored, lean
from mien_export.families.oneshot_live.networks import LiveGenerator, Modulate


def test_lean_networks_compute_the_same(trained: Trained) -> None:
    generator = trained.networks.generator
    assert isinstance(generator, LiveGenerator)
    torch.manual_seed(0)
    features = tuple(torch.randn(1, channels, places, places) for places, channels in generator.size.features)
    pictures = torch.rand(1, 9, 256, 256), torch.rand(1, 3, 256, 256), torch.rand(1, 3, 256, 256)
    with torch.inference_mode():
        for got, expected in zip(lean(generator)(features, *pictures), generator(features, *pictures), strict=True):
            torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)


def test_all_modulations_are_replaced_in_a_copy(trained: Trained) -> None:
    generator = trained.networks.generator
    before = {name: value.clone() for name, value in generator.named_parameters()}
    kinds = [type(module) for module in lean(generator).modules()]
    assert Modulate not in kinds
    assert kinds.count(Factored) == sum(type(module) is Modulate for module in generator.modules()) > 0
    for name, value in generator.named_parameters():
        assert torch.equal(value, before[name])
