"""The discriminator with its auxiliary classifier: it judges pictures, and reads attributes off them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mien.face.traits import TRAITS
from mien_export.families.spade_video.critic import Critic, Verdict


class Judge(nn.Module):
    """The critic of three scales, and attributes of the features of the two that see the whole picture."""

    def __init__(self, spectral: bool) -> None:
        """`spectral`: with spectral normalisation; without it for a gradient penalty."""
        super().__init__()
        self.critic = Critic(spectral)
        self.traits = nn.Linear(128 + 96, len(TRAITS))

    def forward(self, picture: Tensor, labels: Tensor, window: tuple[int, int]) -> tuple[list[Verdict], Tensor]:
        """Verdicts as `Critic`, and attributes (N, 9) as read off pictures (N, 3, S, S)."""
        verdicts = self.critic(picture, labels, window)
        seen = torch.cat([found.features[-1].mean((2, 3)) for found in verdicts[1:]], 1)
        return verdicts, self.traits(seen)


def gradient_penalty(judge: Judge, truth: Tensor, made: Tensor, labels: Tensor, window: tuple[int, int]) -> Tensor:
    """Mean square of (norm of the scores' gradient - 1) between pairs of pictures (N, 3, S, S).

    Gulrajani et al., "Improved training of Wasserstein GANs", 2017. `labels`: (N, 19, S, S).
    """
    share = torch.rand(len(truth), 1, 1, 1, device=truth.device)
    between = torch.lerp(truth, made, share).detach().requires_grad_(True)
    verdicts, _ = judge(between, labels, window)
    scores = torch.stack([found.score.mean((1, 2, 3)) for found in verdicts]).sum(0)
    (gradient,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
    penalty: Tensor = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    return penalty
