"""The thesis's networks as they run: what is done once per portrait, and what for every frame."""

from __future__ import annotations

from torch import Tensor, nn

from mien_export.models.paper.appearance import AppearanceAutoencoder
from mien_export.models.paper.decoder import AdaptiveDecoder
from mien_export.models.paper.fusion import FusionNet


class PaperAppearance(nn.Module):
    """F without its reconstruction."""

    def __init__(self, autoencoder: AppearanceAutoencoder) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """The latent (N, C, 1, 1), then four features (N, C, R, R), R = S / 16 ... S / 2.

        picture: (N, 3, S, S) in -1..1, the portrait's crop.
        """
        latent, features, _ = self.autoencoder(picture)
        return (latent, *features)


class PaperGenerator(nn.Module):
    """D with FusionNet, as it runs for every frame.

    The warped portrait has the target's shape, since it was warped to it; what it does not show is erased to 0, and is
    taken from the generated picture.
    """

    def __init__(self, decoder: AdaptiveDecoder) -> None:
        super().__init__()
        self.decoder = decoder
        self.fusion = FusionNet()

    def forward(
        self, latent: Tensor, features: tuple[Tensor, ...], parsing: Tensor, warped: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The generated picture (N, 3, S, S) in -1..1 and the mask (N, 1, S, S) in 0..1; 1 keeps the warped portrait.

        latent, features: of F. parsing: (N, 9, S, S) in 0..1, of the target. warped: (N, 3, S, S) in -1..1, 0 where
        erased.
        """
        shown = (warped.abs().amax(1, keepdim=True) > 0).to(parsing.dtype)
        return self.decoder(latent, features, parsing), self.fusion(parsing, parsing * shown)
