"""A training step: the critic, then the generator by six terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from mien_export.families.landmark_unet.losses import (
    Critic,
    UnetLosses,
    adversarial_term,
    critic_term,
    identity_term,
    perceptual_term,
    squares,
)
from mien_export.families.landmark_unet.network import LandmarkUnet, UnetSize, heat_maps
from mien_export.families.landmark_unet.samples import BETWEEN, SOURCE, TARGET
from mien_export.train.course import Raw
from mien_export.train.terms import Features

BETAS: Final = (0.5, 0.999)
CRITIC_SHARE: Final = 0.25
"""The critic's learning rate relative to the generator's: 5e-5 to 2e-4."""
DECAY: Final = 0.998
"""Of the averaged weights, which the paper does without."""


class UnetStep:
    """Networks, critic, optimisers and averaged weights."""

    def __init__(self, size: UnetSize, losses: UnetLosses, features: Features | None, device: torch.device) -> None:
        """`features`: the trunk of the perceptual and the identity term; needed where one of them has a weight."""
        self._side, self._losses, self._features, self._device = size.side, losses, features, device
        self._net: Any = LandmarkUnet(size).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._critic: Any = Critic().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._average: Any = AveragedModel(self._net, avg_fn=_averaged, use_buffers=True)
        self._optimiser = torch.optim.Adam(self._net.parameters(), betas=BETAS)
        self._critics = torch.optim.Adam(self._critic.parameters(), betas=BETAS)

    def __call__(self, raw: Raw) -> dict[str, float]:
        """Learn from a batch; the terms before their weights, and the critic's."""
        self._net.train()
        pictures, maps = self._batch(raw)
        source, target = pictures[SOURCE], pictures[TARGET]
        direct, between = self._pair(source, source, maps[TARGET], maps[BETWEEN])
        terms: dict[str, Tensor] = {}
        if self._losses.adversarial:
            terms["critic"] = self._learn_critic(target, direct.detach(), maps[TARGET])
        terms |= self._terms(source, target, direct, between, maps)
        weighed = [getattr(self._losses, name) * value for name, value in terms.items() if name != "critic"]
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(torch.stack(weighed).sum())
        self._optimiser.step()
        self._average.update_parameters(self._net)
        return {name: float(value.detach()) for name, value in terms.items()}

    def set_rate(self, rate: float) -> None:
        """The generator's learning rate."""
        for optimiser, share in ((self._optimiser, 1.0), (self._critics, CRITIC_SHARE)):
            for group in optimiser.param_groups:
                group["lr"] = rate * share

    def compile(self, backend: str = "inductor") -> None:
        """Let torch compile the generator."""
        self._net.forward = torch.compile(self._net.forward, backend=backend)

    @torch.no_grad()
    def drawn(self, raw: Raw) -> Sequence[Tensor]:
        """Source, the target's landmarks, the result, the target."""
        pictures, maps = self._batch(raw)
        self._average.eval()
        made = self._average(pictures[SOURCE], maps[TARGET])
        shown = (maps[TARGET].amax(1, keepdim=True) * 2 - 1).expand_as(made)
        return pictures[SOURCE], shown, made, pictures[TARGET]

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on."""
        return {
            "network": self._net.state_dict(),
            "critic": self._critic.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "critics": self._critics.state_dict(),
            "average": self._average.module.state_dict(),
            "averaged": int(self._average.n_averaged),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._net.load_state_dict(state["network"])
        self._critic.load_state_dict(state["critic"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._critics.load_state_dict(state["critics"])
        self._average.module.load_state_dict(state["average"])
        self._average.n_averaged.fill_(state["averaged"])

    def _batch(self, raw: Raw) -> tuple[list[Tensor], list[Tensor]]:
        """Pictures (N, 3, S, S) in -1..1 and heat maps (N, 68, S, S), of source, between and target."""
        pictures = raw["pictures"].to(self._device).permute(1, 0, 4, 2, 3).float() / 127.5 - 1
        points = raw["points"].to(self._device).transpose(0, 1)
        layout = torch.channels_last
        return (
            [picture.contiguous(memory_format=layout) for picture in pictures],
            [heat_maps(own, self._side).contiguous(memory_format=layout) for own in points],
        )

    def _pair(self, first: Tensor, second: Tensor, to_first: Tensor, to_second: Tensor) -> tuple[Tensor, Tensor]:
        """Results of two sources at two sets of landmarks, in one pass."""
        made = self._net(torch.cat([first, second]), torch.cat([to_first, to_second]))
        return made[: len(first)], made[len(first) :]

    def _learn_critic(self, target: Tensor, made: Tensor, landmarks: Tensor) -> Tensor:
        """Its loss."""
        self._critic.requires_grad_(True)
        scores = self._critic(torch.cat([target, made]), torch.cat([landmarks, landmarks]))
        loss = critic_term(scores[: len(target)], scores[len(target) :])
        self._critics.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self._critics.step()
        self._critic.requires_grad_(False)
        return loss

    def _terms(
        self, source: Tensor, target: Tensor, direct: Tensor, between: Tensor, maps: list[Tensor]
    ) -> dict[str, Tensor]:
        """Those that have a weight. `direct`: the result; `between`: the same at the landmarks between."""
        losses, terms = self._losses, dict[str, Tensor]()
        if losses.adversarial:
            terms["adversarial"] = adversarial_term(self._critic(direct, maps[TARGET]))
        if losses.pixel:
            terms["pixel"] = squares(direct, target)
        if losses.itself or losses.triple:
            back, onward = self._pair(direct, between, maps[SOURCE], maps[TARGET])
            if losses.itself:
                terms["itself"] = squares(back, source)
            if losses.triple:
                terms["triple"] = squares(onward, direct)
        return terms | self._feature_terms(direct, target)

    def _feature_terms(self, direct: Tensor, target: Tensor) -> dict[str, Tensor]:
        losses, features = self._losses, self._features
        if features is None:
            return {}
        with torch.no_grad():
            wanted = features(target)
        found = features(direct)
        terms = {}
        if losses.perceptual:
            terms["perceptual"] = perceptual_term(found, wanted)
        if losses.identity:
            terms["identity"] = identity_term(found, wanted)
        return terms


def _averaged(average: Tensor, present: Tensor, steps: Tensor | int) -> Tensor:
    """The average with the present weights in it; early on it follows them faster."""
    decay = min(DECAY, (1 + int(steps)) / (10 + int(steps)))
    return torch.lerp(average, present, 1 - decay) if average.is_floating_point() else present
