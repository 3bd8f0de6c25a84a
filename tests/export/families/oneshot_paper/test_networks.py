"""The thesis's networks: the shapes that its text states, its equations, and what the ablation switches off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")

from mien_export.families.oneshot_paper.graphs import PaperAppearance, PaperGenerator  # noqa: E402
from mien_export.families.oneshot_paper.losses import MultiScaleDiscriminator  # noqa: E402
from mien_export.families.oneshot_paper.networks import (  # noqa: E402  # noqa: E402
    SIZES,
    AdaptiveDecoder,
    AppearanceAutoencoder,
    PaperSize,
    SpadeResidual,
    SpadeUnit,
)

SMALL = PaperSize(
    "small", 32, encoder=(4, 6, 8, 8, 8), decoder=(8, 8, 6, 6, 4), composer=(6, 6, 6, 4, 4), discriminator=(4, 6)
)


def parsing_of(count: int, side: int, seed: int = 0) -> Any:
    return torch.rand(count, 9, side, side, generator=torch.Generator().manual_seed(seed))


def picture_of(count: int, side: int, seed: int = 0) -> Any:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("name", list(SIZES))
def test_each_size_has_the_shapes_of_the_text(name: str) -> None:
    size = SIZES[name]
    with torch.device("meta"):
        picture = torch.empty(2, 3, size.side, size.side)
        appearance = AppearanceAutoencoder(size)(picture)
        out = AdaptiveDecoder(size)(appearance.latent, appearance.features, torch.empty(2, 9, size.side, size.side))
    assert appearance.latent.shape == (2, size.latent, 1, 1)
    assert [tuple(f.shape) for f in appearance.features] == [(2, c, r, r) for r, c in size.features]
    assert appearance.reconstruction.shape == out.shape == picture.shape


def test_the_papers_size_is_the_thesiss() -> None:
    size = SIZES["paper"]
    assert size.features == ((16, 1024), (32, 512), (64, 256), (128, 128))
    with torch.device("meta"):
        scores = [maps[-1].shape[-2:] for maps in MultiScaleDiscriminator(size)(torch.empty(1, 3, 256, 256))]
    assert scores == [(30, 30), (14, 14), (6, 6)]


def test_a_size_that_does_not_end_at_one_pixel_is_refused() -> None:
    with pytest.raises(ValueError, match=r"encoder: expected 5 widths .* got 4"):
        replace(SMALL, encoder=(4, 4, 4, 8))
    with pytest.raises(ValueError, match="power of two"):
        replace(SMALL, side=48)
    with pytest.raises(ValueError, match="latent has 12"):
        replace(SMALL, encoder=(4, 6, 8, 8, 12))


def test_a_spade_unit_is_equations_3_3_to_3_7() -> None:
    torch.manual_seed(0)
    unit, x, parsing = SpadeUnit(5), torch.randn(2, 5, 8, 8) * 3 + 1, parsing_of(2, 8)
    mean = x.mean((2, 3), keepdim=True)
    deviation = ((x**2).mean((2, 3), keepdim=True) - mean**2).sqrt()
    w, b = 1 + unit.gamma(parsing), unit.beta(parsing)
    torch.testing.assert_close(unit(x, parsing), torch.relu(w * (x - mean) / deviation + b), rtol=1e-4, atol=1e-4)


def test_a_residual_block_is_two_units_and_a_bypass() -> None:
    torch.manual_seed(0)
    block, x, parsing = SpadeResidual(4), torch.randn(1, 4, 8, 8), parsing_of(1, 8)
    (a, b, c), (p, q, r) = block.units, block.mix
    expected = q(b(p(a(x, parsing)), parsing)) + r(c(x, parsing))
    torch.testing.assert_close(block(x, parsing), expected)


@pytest.mark.parametrize("concatenate", [True, False])
def test_concatenation_can_be_left_out(concatenate: bool) -> None:
    torch.manual_seed(0)
    appearance = AppearanceAutoencoder(SMALL)(picture_of(1, 32))
    decoder = AdaptiveDecoder(SMALL, concatenate)
    parsing = parsing_of(1, 32)
    other = tuple(f + torch.randn(f.shape) for f in appearance.features)
    same = torch.equal(
        decoder(appearance.latent, appearance.features, parsing), decoder(appearance.latent, other, parsing)
    )
    assert same is not concatenate


def test_gradients_reach_every_weight() -> None:
    torch.manual_seed(0)
    autoencoder, decoder = AppearanceAutoencoder(SMALL), AdaptiveDecoder(SMALL)
    appearance = autoencoder(picture_of(2, 32))
    out = decoder(appearance.latent, appearance.features, parsing_of(2, 32))
    (out.square().mean() + appearance.reconstruction.square().mean()).backward()
    weights: dict[str, Any] = {**dict(autoencoder.named_parameters()), **dict(decoder.named_parameters())}
    dead = [name for name, weight in weights.items() if name.endswith("weight") and not weight.grad.abs().sum() > 0]
    assert not dead


def test_the_parsing_map_steers_the_picture() -> None:
    torch.manual_seed(0)
    latent, features, _ = AppearanceAutoencoder(SMALL)(picture_of(1, 32))
    decoder = AdaptiveDecoder(SMALL)
    blank = torch.zeros(1, 9, 32, 32)
    marked = blank.clone()
    marked[:, 7, 20:24, 12:20] = 1
    assert (decoder(latent, features, marked) - decoder(latent, features, blank)).abs().max() > 1e-3


def test_discriminators_see_ever_coarser_pictures() -> None:
    torch.manual_seed(0)
    discriminator = MultiScaleDiscriminator(SIZES["paper-64"])
    checks = torch.ones(1, 3, 64, 64)
    checks[..., ::2] = -1  # grey once averaged
    fine, *coarse = discriminator(checks)
    grey = discriminator(torch.zeros(1, 3, 64, 64))
    assert not torch.allclose(fine[-1], grey[0][-1])
    for seen, expected in zip(coarse, grey[1:], strict=True):
        torch.testing.assert_close(seen[-1], expected[-1])


def test_the_graphs_join_at_the_features() -> None:
    torch.manual_seed(0)
    autoencoder, decoder = AppearanceAutoencoder(SMALL), AdaptiveDecoder(SMALL)
    latent, *features = PaperAppearance(autoencoder)(picture_of(2, 32))
    parsing, warped = parsing_of(2, 32), picture_of(2, 32, seed=1)
    generated, mask = PaperGenerator(decoder)(latent, tuple(features), parsing, warped)
    assert generated.shape == (2, 3, 32, 32)
    assert mask.shape == (2, 1, 32, 32)
    assert generated.abs().max() <= 1
