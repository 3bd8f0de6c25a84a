"""The thesis's networks as they run: what is done once per portrait, and what for every frame.

Networks that have seen only faces before nothing, as for most of the thesis's training, are given and asked for no
more: around the face the warped portrait stays.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mien_export.models.paper.appearance import AppearanceAutoencoder
from mien_export.models.paper.decoder import AdaptiveDecoder
from mien_export.models.paper.fusion import FusionNet, fuse


class PaperAppearance(nn.Module):
    """F without its reconstruction."""

    def __init__(self, autoencoder: AppearanceAutoencoder, background: bool = True) -> None:
        """`background`: whether it knows what surrounds faces."""
        super().__init__()
        self.autoencoder = autoencoder
        self.background = background

    def forward(self, picture: Tensor, parsing: Tensor | None = None) -> tuple[Tensor, ...]:
        """The latent (N, C, 1, 1), then four features (N, C, R, R), R = S / 16 ... S / 2.

        picture: (N, 3, S, S) in -1..1, the portrait's crop. parsing: (N, 9, S, S) in 0..1, of the portrait; not needed
        by networks that know what surrounds faces.
        """
        if not self.background:
            assert parsing is not None, "the face must be told from what surrounds it"
            picture = picture * parsing[:, :1]
        latent, features, _ = self.autoencoder(picture)
        return (latent, *features)


class PaperGenerator(nn.Module):
    """D with FusionNet, as it runs for every frame.

    The warped portrait has the target's shape, since it was warped to it; what it does not show is erased to 0, and is
    taken from the generated picture.
    """

    def __init__(self, decoder: AdaptiveDecoder, background: bool = True) -> None:
        """`background`: whether it knows what surrounds faces."""
        super().__init__()
        self.decoder = decoder
        self.fusion = FusionNet()
        self.background = background

    def forward(
        self, latent: Tensor, features: tuple[Tensor, ...], parsing: Tensor, warped: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The generated picture (N, 3, S, S) in -1..1 and the mask (N, 1, S, S) in 0..1; 1 keeps the warped portrait.

        latent, features: of F. parsing: (N, 9, S, S) in 0..1, of the target. warped: (N, 3, S, S) in -1..1, 0 where
        erased.
        """
        shown = (warped.abs().amax(1, keepdim=True) > 0).to(parsing.dtype)
        generated = self.decoder(latent, features, parsing)
        mask = self.fusion(parsing, parsing * shown)
        if self.background:
            return generated, mask
        around = 1 - parsing[:, :1]
        return fuse(generated, warped, around), torch.maximum(mask, around)


class PaperGraphs(nn.Module):
    """Both, as one checkpoint holds them."""

    def __init__(self, autoencoder: AppearanceAutoencoder, decoder: AdaptiveDecoder, background: bool) -> None:
        super().__init__()
        self.appearance = PaperAppearance(autoencoder, background)
        self.generator = PaperGenerator(decoder, background)
        self.background = background
