"""Training step of the live networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import torch
from torch import Tensor, nn

from mien.face.crop import SIDE
from mien.paint.parsing import TEETH
from mien_export.families.oneshot_live.losses import (
    JUDGED,
    WIDTHS,
    Scores,
    TwoScales,
    adversarial,
    feature_matching,
    gradient_l1,
    mask_target,
    mask_term,
    perceptual,
    weighted_l1,
    weights,
)
from mien_export.families.oneshot_live.networks import SIZES, Appearance, LiveGenerator, fused
from mien_export.families.oneshot_pairs import Batch, to_batch, warp_features
from mien_export.train.average import Average
from mien_export.train.extractors.own import LandmarkNet, landmark_consistency
from mien_export.train.terms import Features, Identity, identity_l1


@dataclass(frozen=True, slots=True)
class LiveLosses:
    """Weights of the terms; 0 switches one off."""

    generated: float = 10.0
    fused: float = 10.0
    gradient: float = 6.0
    mask: float = 0.5
    adversarial: float = 1.5
    matching: float = 15.0
    perceptual: float = 0.0
    """These look through an extractor: the shipped weights do without. Of faces only where a whole crop is seen."""
    identity: float = 0.0
    landmarks: float = 0.0


@dataclass(frozen=True, slots=True)
class Extractors:
    """Frozen networks that terms look through; one is needed where its term has a weight."""

    features: Features | None = None
    identity: Identity | None = None
    landmarks: LandmarkNet | None = None


@dataclass(frozen=True, slots=True)
class CriticSettings:
    """How the discriminator learns."""

    widths: tuple[int, ...] = WIDTHS
    faster: float = 1.0
    """Its learning rate, relative to the generator's."""
    alone: int = 0
    """Steps that it learns before the generator hears of it; over as many again its terms gain their weights."""
    judged: Mapping[str, float] = field(default_factory=lambda: JUDGED)
    """What each region counts for it."""

    def heard(self, steps: int) -> float:
        """Share 0..1 of their weights that its terms have after so many steps."""
        return min(max(steps / self.alone - 1, 0.0), 1.0) if self.alone else 1.0


OF_CRITIC: Final = ("adversarial", "matching")
"""Terms."""
LOOK: Final = 64
"""Side in pixels of what the perceptual term looks at: its trunk costs as much as the generator."""
MOUTH: Final = (128, 178)
"""Where the mouth lies in a crop, about."""
RIM = 0.02
"""Share of the inner mouth in a pixel from which on it counts as erased."""


class LiveNetworks(nn.Module):
    """Appearance and generator together."""

    def __init__(self, size: str) -> None:
        super().__init__()
        self.appearance = Appearance(SIZES[size])
        self.generator = LiveGenerator(SIZES[size])

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Painted picture (N, 3, H, W) in -1..1 and mask (N, 1, H, W) in 0..1."""
        source, source_parsing, parsing, warped, hint = (
            _half(x) for x in (batch.source, batch.source_parsing, batch.parsing, batch.warped, batch.hint)
        )
        features = self.appearance(source, source_parsing)
        out: tuple[Tensor, Tensor] = self.generator(warp_features(features, batch.flow), parsing, warped, hint)
        return out


class LiveStep:
    """Networks, discriminator and optimisers, with one method that learns from a batch."""

    def __init__(
        self,
        size: str,
        device: torch.device,
        losses: LiveLosses | None = None,
        rate: float = 2e-4,
        decay: float = 0.999,
        extractors: Extractors | None = None,
        critic: CriticSettings | None = None,
        frozen: bool = False,
    ) -> None:
        """`frozen`: what runs once per portrait stays as it is; only the generator learns."""
        self.device = device
        self.settings = critic or CriticSettings()
        self.losses = losses or LiveLosses()
        self.extractors = extractors or Extractors()
        self.networks = _laid_out(LiveNetworks(size), device)
        self.networks.appearance.requires_grad_(not frozen)
        self.critic = _laid_out(TwoScales(self.settings.widths), device)
        self.average = Average(self.networks, decay)
        learning = [weight for weight in self.networks.parameters() if weight.requires_grad]
        self.optimiser = torch.optim.Adam(learning, rate, betas=(0.5, 0.99))
        self.critic_optimiser = torch.optim.Adam(self.critic.parameters(), rate, betas=(0.5, 0.99))

    def begin(self, weights: dict[str, Tensor]) -> None:
        """Take these weights to begin with, in place of random ones."""
        self.networks.load_state_dict(weights)
        self.average = Average(self.networks, self.average.decay)

    def set_rate(self, rate: float) -> None:
        """The generator's learning rate; the critic's follows."""
        for optimiser, factor in ((self.optimiser, 1.0), (self.critic_optimiser, self.settings.faster)):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor

    def __call__(self, raw: dict[str, Tensor]) -> dict[str, float]:
        """Learn from a collated batch; returns the terms before their weights."""
        batch = to_batch(raw, self.device)
        erased, heard = _erased(batch), self.settings.heard(self.average.steps)
        judged = weights(batch.parsing, batch.valid, erased, self.settings.judged)
        with self._autocast():
            painted, mask = self.networks(batch)
        painted, mask = painted.float(), mask.float()
        laid = _mixed(painted, fused(batch.target, painted, mask.detach()))
        real = self._judged_truth(batch)
        terms = self._terms(batch, painted, mask, erased)
        if real and heard:
            terms |= self._judged(batch, laid, judged, real)
        if self.losses.perceptual and self.extractors.features is not None:
            half = len(laid) // 2  # what was laid over the truth
            seen = (_looked_at(picture[half:]) for picture in (laid, batch.target, judged))
            with self._autocast():
                terms["perceptual"] = perceptual(self.extractors.features, *seen)
        critic_loss = self._learn_critic(batch, laid.detach(), judged, real)
        loss = sum((self._weight(name, heard) * term for name, term in terms.items()), painted.new_zeros(()))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.average.update(self.networks)
        return {name: float(term.detach()) for name, term in terms.items()} | {"critic": critic_loss}

    def _weight(self, term: str, heard: float) -> float:
        weight: float = getattr(self.losses, term)
        return weight * heard if term in OF_CRITIC else weight

    def _judged_truth(self, batch: Batch) -> Scores:
        """What the critic says of the truth; none where nobody asks."""
        if not (self.losses.adversarial or self.losses.matching):
            return []
        with self._autocast():
            scores: Scores = self.critic(_half(batch.target), _half(batch.parsing))
        return scores

    def _judged(self, batch: Batch, laid: Tensor, weight: Tensor, real: Scores) -> dict[str, Tensor]:
        """The terms that the critic gives."""
        self.critic.requires_grad_(False)
        with self._autocast():
            fake = self.critic(_half(laid), _half(batch.parsing))
        self.critic.requires_grad_(True)
        return {"adversarial": adversarial(fake, 1.0, weight), "matching": feature_matching(fake, real, weight)}

    def _terms(self, batch: Batch, painted: Tensor, mask: Tensor, erased: Tensor) -> dict[str, Tensor]:
        truth, weight = batch.target, weights(batch.parsing, batch.valid, erased)
        shown = fused(batch.warped, painted, mask)
        goal = mask_target(batch.warped, painted.detach(), truth, erased)
        terms = {
            "generated": weighted_l1(painted, truth, weight),
            "fused": weighted_l1(shown, truth, weight),
            "gradient": gradient_l1(painted, truth, weight),
            "mask": mask_term(mask, goal, weight),
        }
        seen, whole = self.extractors, shown.shape[-1] == SIDE
        if self.losses.identity and seen.identity is not None and whole:
            terms["identity"] = identity_l1(seen.identity, shown, truth)
        if self.losses.landmarks and seen.landmarks is not None and whole:
            terms["landmarks"] = landmark_consistency(seen.landmarks, shown, truth)
        return terms

    def _learn_critic(self, batch: Batch, fake: Tensor, weight: Tensor, real: Scores) -> float:
        if not real:
            return 0.0
        with self._autocast():
            of_fake = self.critic(_half(fake), _half(batch.parsing))
        loss: Tensor = (adversarial(real, 1.0, weight) + adversarial(of_fake, 0.0, weight)) / 2
        self.critic_optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.critic_optimiser.step()
        return float(loss.detach())

    def compile(self, backend: str = "inductor") -> None:
        """Let torch compile networks and discriminator."""
        self.networks.compile(backend=backend)
        self.critic.compile(backend=backend)

    def drawn(self, raw: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Source, warped, hint, painted, shown, truth, (N, 3, S, S) in -1..1 each; by the averaged weights."""
        batch, painted, shown = self.paint(raw)
        return batch.source, batch.warped, batch.hint, painted, shown, batch.target

    @torch.no_grad()
    def paint(self, raw: dict[str, Tensor]) -> tuple[Batch, Tensor, Tensor]:
        """The batch, the averaged networks' painted pictures and what is shown."""
        batch = to_batch(raw, self.device)
        with self.average.applied(self.networks), self._autocast():
            painted, mask = self.networks(batch)
        return batch, painted.float(), fused(batch.warped, painted.float(), mask.float())

    def _autocast(self) -> torch.autocast:
        """In float32 a processor without matrix units is faster, but a resumed run was then not equal to the bit."""
        return torch.autocast(self.device.type, torch.bfloat16)

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on."""
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


M = TypeVar("M", bound=nn.Module)


def _laid_out(module: M, device: torch.device) -> M:
    """On `device`, channels last, as its pictures are."""
    to: Callable[..., M] = module.to  # torch's own overloads leave the layout out
    return to(device, memory_format=torch.channels_last)


def _mixed(painted: Tensor, laid: Tensor) -> Tensor:
    """Painted pictures of the first half of a batch, those laid over the truth of the second: both must look real.

    Over the truth and not over the warped portrait: that has been sampled three times, and would be known by its blur.
    """
    half = len(painted) // 2
    return torch.cat([painted[:half], laid[half:]])


def _looked_at(picture: Tensor) -> Tensor:
    """(N, C, LOOK, LOOK): the middle of a cut (N, C, H, W), which shows mouth or eye, or the mouth in a whole crop."""
    row, column = (MOUTH[1], MOUTH[0]) if picture.shape[-1] == SIDE else (n // 2 for n in picture.shape[2:])
    half = min(LOOK, picture.shape[-1]) // 2
    return picture[..., row - half : row + half, column - half : column + half]


def _half(x: Tensor) -> Tensor:
    """As autocast's convolutions would make it, once instead of in each."""
    return x.to(torch.bfloat16)


def _erased(batch: Batch) -> Tensor:
    """(N, 1, H, W): 1 where the warped picture says nothing, or less than all."""
    nothing = batch.warped.abs().amax(dim=1, keepdim=True) < 1e-6
    return (nothing | (batch.parsing[:, TEETH : TEETH + 1] > RIM)).to(batch.warped.dtype)
