"""One step of the thesis's training: F and D together, then the discriminators (thesis, 3.2.5 and 4.1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien_export.families.oneshot_paper.config import PaperConfig
from mien_export.families.oneshot_paper.losses import (
    MultiScaleDiscriminator,
    discriminator_adversarial,
    generator_adversarial,
)
from mien_export.families.oneshot_paper.networks import AdaptiveDecoder, Appearance, AppearanceAutoencoder
from mien_export.train.average import Average
from mien_export.train.terms import Features, Identity, identity_l1, l1, perceptual_l1

Module = TypeVar("Module", bound=nn.Module)

BETAS: Final = (0.5, 0.999)
DECAY: Final = 0.999
"""Of the averaged weights, which the thesis does without."""
CRITIC_SHARE: Final = 0.5
"""The discriminators' learning rate, relative to that of F and D."""


def collated(samples: list[dict[str, NDArray[np.float32]]]) -> dict[str, Tensor]:
    """Samples of `PaperPairs` stacked: (N, C, S, S) each."""
    return {name: torch.from_numpy(np.stack([sample[name] for sample in samples])) for name in samples[0]}


@dataclass(frozen=True, slots=True)
class Extractors:
    """The frozen networks that losses look through; one is needed where its term has a weight."""

    features: Features | None = None
    identity: Identity | None = None


class PaperNetworks(nn.Module):
    """F and D together."""

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.autoencoder = AppearanceAutoencoder(config.network)
        self.decoder = AdaptiveDecoder(config.network, config.concatenate)

    def forward(self, reference: Tensor, parsing: Tensor) -> tuple[Tensor, Appearance]:
        """I_o (N, 3, S, S) in -1..1, eq. 3.2, and what F made of the reference.

        reference: (N, 3, S, S) in -1..1. parsing: (N, 9, S, S) in 0..1, of the pose guide.
        """
        appearance: Appearance = self.autoencoder(reference)
        return self.decoder(appearance.latent, appearance.features, parsing), appearance


class PaperStep:
    """Networks, discriminators and optimisers, with one method that learns from a batch.

    It draws no random numbers after it is made: the same state and batches give the same losses.
    """

    def __init__(self, config: PaperConfig, device: torch.device, extractors: Extractors, reduced: bool = True) -> None:
        """`reduced`: whether convolutions run in bfloat16.

        Raises:
            ValueError: a term has a weight, but its extractor is missing.
        """
        self.config, self.device, self.extractors, self.reduced = config, device, extractors, reduced
        for term, extractor in (("perceptual", extractors.features), ("identity", extractors.identity)):
            if getattr(config.losses, term) and extractor is None:
                raise ValueError(f"the {term} term has weight {getattr(config.losses, term)} but no extractor")
        self.networks = _on(device, PaperNetworks(config))
        self.critic = _on(device, MultiScaleDiscriminator(config.network))
        self.average = Average(self.networks, DECAY)
        self.optimiser = torch.optim.Adam(self.networks.parameters(), betas=BETAS)
        self.critic_optimiser = torch.optim.Adam(self.critic.parameters(), betas=BETAS)
        self.set_rate(config.stages[0].rate)

    def set_rate(self, rate: float) -> None:
        """The learning rate of F and D; the discriminators take half of it."""
        for optimiser, share in ((self.optimiser, 1.0), (self.critic_optimiser, CRITIC_SHARE)):
            for group in optimiser.param_groups:
                group["lr"] = rate * share

    def __call__(self, raw: dict[str, Tensor]) -> dict[str, float]:
        """Learn from a batch of `collated`; returns the terms of eq. 3.15 before their weights, and `critic`, L_d."""
        batch = self._moved(raw)
        with self._autocast():
            result, appearance = self.networks(batch["reference"], batch["parsing"])
            self.critic.requires_grad_(False)
            terms = self._terms(batch, result, appearance)
            self.critic.requires_grad_(True)
        losses = self.config.losses
        loss = torch.stack([getattr(losses, name) * term for name, term in terms.items()]).sum()
        _learn(self.optimiser, loss)
        self.average.update(self.networks)
        values = {name: float(term.detach()) for name, term in terms.items()}
        return values | ({"critic": self._learn_critic(batch, result.detach())} if losses.adversarial else {})

    def _terms(self, batch: dict[str, Tensor], result: Tensor, appearance: Appearance) -> dict[str, Tensor]:
        """Those of the terms that have a weight."""
        reference, guide = batch["reference"], batch["guide"]
        losses, extractors = self.config.losses, self.extractors
        terms = {}
        if losses.appearance:
            terms["appearance"] = l1(appearance.reconstruction, reference)
        if losses.reconstruction:
            terms["reconstruction"] = l1(result, guide)
        if losses.identity and extractors.identity is not None:
            terms["identity"] = identity_l1(extractors.identity, result, reference)
        if losses.perceptual and extractors.features is not None:
            terms["perceptual"] = perceptual_l1(extractors.features, result, guide)
        if losses.adversarial:
            terms["adversarial"] = generator_adversarial(self.critic(result))
        return terms

    def _learn_critic(self, batch: dict[str, Tensor], result: Tensor) -> float:
        with self._autocast():
            loss = discriminator_adversarial(self.critic(batch["guide"]), self.critic(result))
        _learn(self.critic_optimiser, loss)
        return float(loss.detach())

    def compile(self, backend: str = "inductor") -> None:
        """Let torch compile networks and discriminators."""
        self.networks.compile(backend=backend)
        self.critic.compile(backend=backend)

    @torch.no_grad()
    def drawn(self, raw: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Reference, its reconstruction, result and pose guide of a batch, (N, 3, S, S) in -1..1 each; by the averaged
        weights."""
        batch = self._moved(raw)
        with self.average.applied(self.networks), self._autocast():
            result, appearance = self.networks(batch["reference"], batch["parsing"])
        return batch["reference"], appearance.reconstruction.float(), result.float(), batch["guide"]

    def _moved(self, raw: dict[str, Tensor]) -> dict[str, Tensor]:
        layout = torch.channels_last
        return {
            name: value.to(self.device, non_blocking=True).contiguous(memory_format=layout)
            for name, value in raw.items()
        }

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.reduced)

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, but for the frozen extractors."""
        return {
            "networks": self.networks.state_dict(),
            "critic": self.critic.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "critic_optimiser": self.critic_optimiser.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.networks.load_state_dict(state["networks"])
        self.critic.load_state_dict(state["critic"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.critic_optimiser.load_state_dict(state["critic_optimiser"])


def _on(device: torch.device, module: Module) -> Module:
    """`module` on `device`, channels last; torch's types do not know that layout."""
    placed: Any = module
    result: Module = placed.to(device, memory_format=torch.channels_last)
    return result


def _learn(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimiser.step()
