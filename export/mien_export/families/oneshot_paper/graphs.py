"""The thesis's networks as they run: FusionNet, and the two graphs, once per portrait and for every frame.

Networks that have seen only faces before nothing, as for most of the thesis's training, are given and asked for no
more: around the face the warped portrait stays.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from mien.face.topology import PARTS
from mien.manifest import TensorSpec
from mien.manifest.bundle import BATCH
from mien.manifest.families import ONESHOT
from mien_export.families.oneshot_paper.networks import SIZES, AdaptiveDecoder, AppearanceAutoencoder, PaperSize
from mien_export.graphs.tracing import Traced
from mien_export.spade_onnx import DOMAIN, OPERATOR


class FusionNet(nn.Module):
    """I_fuse = I_o * (1 - mask) + I_warp * mask (eq. 3.16); it has no weights.

    The text makes the mask the product of both parsing maps, without saying how nine channels become one. Here each map
    is first made exclusive (the face without what lies in it, the eye without the iris), then the products of equal
    channels are summed: the share in which both pictures show the same part at a place. So soft edges, and places where
    the two disagree, are the generated picture's.
    """

    def forward(self, parsing: Tensor, parsing_of_warped: Tensor) -> Tensor:
        """The mask (N, 1, S, S) in 0..1 from the parsing maps (N, 9, S, S) in 0..1 of I_o and I_warp."""
        agreed = exclusive(parsing) * exclusive(parsing_of_warped)
        return agreed.sum(1, keepdim=True).clamp(0, 1)


def exclusive(parsing: Tensor) -> Tensor:
    """A parsing map (N, 9, H, W) whose channels overlap nowhere: each place belongs to the innermost part."""
    face, brows, eyes, gaze, nose, upper, lower, teeth, bridge = torch.split(parsing, 1, 1)
    eyes = (eyes - gaze).clamp(min=0)
    nose = (nose - bridge).clamp(min=0)
    inner = torch.cat([brows, eyes, gaze, nose, upper, lower, teeth, bridge], 1)
    rest = (face - inner.sum(1, keepdim=True)).clamp(min=0)
    return torch.cat([rest, inner], 1)


def fuse(generated: Tensor, warped: Tensor, mask: Tensor) -> Tensor:
    """Eq. 3.16, pictures (N, 3, S, S), mask (N, 1, S, S)."""
    return generated + (warped - generated) * mask


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


OPERATORS: Final = frozenset(
    {
        *("Abs", "Add", "AveragePool", "Cast", "Clip", "Concat", "Conv", "ConvTranspose", "Greater"),
        *("InstanceNormalization", "LeakyRelu", "Max", "Mul", "ReduceMax", "ReduceSum", "Relu", "Slice", "Split"),
        *("Squeeze", "Sub", "Tanh", "Unsqueeze", "Identity", "Expand", "Reshape", "Constant", f"{DOMAIN}::{OPERATOR}"),
    }
)
"""The last is a function made of standard ones: TensorRT may give it to our plug-in."""


def paper_graphs(networks: PaperGraphs, size: str) -> tuple[Traced, Traced]:
    """Appearance and generator of networks of this size."""
    paper = SIZES[size]
    features = (TensorSpec("latent", "latent", (BATCH, paper.latent, 1, 1)), *_features(paper))
    parsing = () if networks.background else (_crop("portrait_parsing", len(PARTS), paper.side),)
    appearance = Traced(
        "appearance", networks.appearance, (_crop("picture", 3, paper.side), *parsing), features, OPERATORS
    )
    generator = Traced(
        "generator",
        networks.generator,
        (*features, _crop("parsing", len(PARTS), paper.side), _crop("warped", 3, paper.side)),
        (_crop("generated", 3, paper.side), _crop("mask", 1, paper.side)),
        OPERATORS,
    )
    return appearance, generator


def _features(size: PaperSize) -> tuple[TensorSpec, ...]:
    """F's maps are of the portrait as it lies; D brings them to the target's shape."""
    return tuple(TensorSpec(f"f{r}", "feature", (BATCH, channels, r, r)) for r, channels in size.features)


def _crop(role: str, channels: int, side: int) -> TensorSpec:
    """A tensor as large as the crop, called as its role."""
    return TensorSpec(role, role, (BATCH, channels, side, side), range=ONESHOT.ranges[role])
