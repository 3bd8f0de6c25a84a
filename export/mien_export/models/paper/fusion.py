"""FusionNet: keeps the warped portrait where it and the result show the same part of the face (thesis, 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


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
