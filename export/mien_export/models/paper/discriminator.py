"""Three PatchGANs that look at the picture at S, S / 2 and S / 4 (thesis, fig. 3.12)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from mien_export.models.paper.blocks import LEAK, down
from mien_export.models.paper.sizes import PaperSize

DISCRIMINATORS = 3


class PatchDiscriminator(nn.Module):
    """Convs 4x4 of stride 2 (the last of stride 1), InstanceNorm but for the first, leaky ReLU, then a score per patch.

    No sigmoid: the scores are regressed on 1 and 0 (LSGAN).
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        pairs = list(zip((3, *widths), widths, strict=False))
        self.layers = nn.ModuleList(
            down(a, b, stride=1 if i == len(pairs) - 1 else 2) for i, (a, b) in enumerate(pairs)
        )
        self.norms = nn.ModuleList(nn.InstanceNorm2d(b) if i else nn.Identity() for i, (_, b) in enumerate(pairs))
        self.score = down(widths[-1], 1, stride=1)

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """The maps after each layer of a picture (N, 3, S, S) in -1..1; the last, (N, 1, h, w), holds the scores."""
        maps = [picture]
        for layer, norm in zip(self.layers, self.norms, strict=True):
            maps.append(F.leaky_relu(norm(layer(maps[-1])), LEAK))
        return (*maps[1:], self.score(maps[-1]))


class MultiScaleDiscriminator(nn.Module):
    """d_1, d_2, d_3 of eq. 3.13 and 3.14; each coarser one sees the picture averaged over 2x2."""

    def __init__(self, size: PaperSize) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(size.discriminator) for _ in range(DISCRIMINATORS))

    def forward(self, picture: Tensor) -> tuple[tuple[Tensor, ...], ...]:
        """For each scale the maps of `PatchDiscriminator`; picture: (N, 3, S, S) in -1..1."""
        out = []
        for i, scale in enumerate(self.scales):
            out.append(scale(F.avg_pool2d(picture, 1 << i) if i else picture))
        return tuple(out)
