"""The thesis's sizes, and narrower ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PARTS: Final = 9
"""Channels of a parsing map."""
SCALES: Final = 4
"""Last modules of D, which take the feature maps of F's decoder and the parsing map."""


@dataclass(frozen=True, slots=True)
class PaperSize:
    """Widths of F, D and the discriminators. There are log2(side) blocks each way, so that the latent is 1x1."""

    name: str
    side: int
    """S: height and width of the pictures."""
    encoder: tuple[int, ...]
    """Channels that F's down blocks give, at S / 2, S / 4 ... 1; the last is the latent's."""
    decoder: tuple[int, ...]
    """Channels that F's up blocks take, at 1, 2 ... S / 2; the first is the latent's, the last four D's features."""
    composer: tuple[int, ...]
    """Channels that D's up modules give, at 2, 4 ... S."""
    discriminator: tuple[int, ...] = (64, 128, 256, 512)
    """Channels of a PatchGAN's convolutions, of which the last keeps its resolution."""

    def __post_init__(self) -> None:
        depth = self.side.bit_length() - 1
        if self.side != 1 << depth or depth <= SCALES:
            raise ValueError(f"side: expected a power of two above {1 << SCALES}, got {self.side}")
        for name, widths in (("encoder", self.encoder), ("decoder", self.decoder), ("composer", self.composer)):
            if len(widths) != depth:
                raise ValueError(f"{name}: expected {depth} widths for a side of {self.side}, got {len(widths)}")
        if self.encoder[-1] != self.decoder[0]:
            raise ValueError(f"the latent has {self.encoder[-1]} channels, but the decoder takes {self.decoder[0]}")

    @property
    def latent(self) -> int:
        """Channels of the latent."""
        return self.encoder[-1]

    @property
    def features(self) -> tuple[tuple[int, int], ...]:
        """(resolution, channels) of the four feature maps that F hands to D, coarse to fine."""
        first = len(self.decoder) - SCALES
        return tuple((1 << (first + i), channels) for i, channels in enumerate(self.decoder[first:]))


SIZES: Final[dict[str, PaperSize]] = {
    size.name: size
    for size in (
        PaperSize(
            "paper",
            256,
            encoder=(64, 128, 256, 512, 1024, 1024, 1024, 1024),
            decoder=(1024, 1024, 1024, 1024, 1024, 512, 256, 128),
            composer=(512, 512, 512, 512, 256, 128, 64, 64),
        ),
        PaperSize(
            "paper-64",
            64,
            encoder=(32, 64, 96, 128, 256, 256),
            decoder=(256, 256, 192, 128, 96, 64),
            composer=(128, 128, 96, 64, 48, 32),
            discriminator=(32, 64, 128),
        ),
    )
}
"""By name. `paper` has the thesis's widths (section 4.1.3), which are those that each block takes: only so do the last
four feature maps lie where D's last four modules work, at 16, 32, 64 and 128. It leaves D's own widths open. `paper-64`
is narrow, for the ablation on a processor."""
