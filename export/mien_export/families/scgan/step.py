"""One training step of an avatar maker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.parsing.maps import FINER
from mien_export.families.parsing.course import coloured
from mien_export.families.parsing.network import Segmenter
from mien_export.families.scgan.judge import Judge, gradient_penalty
from mien_export.families.scgan.losses import ScganLosses, trait_term, wasserstein_term
from mien_export.families.scgan.network import Scgan, ScganSize
from mien_export.families.spade_video.code import LENGTH, SIDE
from mien_export.families.spade_video.critic import Verdict
from mien_export.families.spade_video.losses import (
    adversarial_term,
    colour_term,
    critic_term,
    divergence_term,
    matching_term,
    perceptual_term,
    pixel_term,
    pixel_weights,
    segments_term,
)
from mien_export.families.spade_video.step import FACE, CriticView, shares_of
from mien_export.train.average import StateAverage
from mien_export.train.checkpoint import take_over
from mien_export.train.course import Raw
from mien_export.train.terms import Features

DECAY: Final = 0.998
"""Of the averaged weights, per step."""
COMPARED: Final = 4
"""Pictures of a batch that the trunk and the segmentor see."""
MOST: Final = 20.0
"""Norm of a step's gradient."""
PENALTY: Final = 10.0
"""Weight of the gradient penalty."""
STRONGER: Final = 1000
"""Steps after which the discriminator learns faster."""
JUDGE: Final = (1.2, 2.4)
"""Its learning rate before and after, relative to the generator's."""
WINDOW: Final = (FACE[0] + 0.08, FACE[1])
"""Top left of the window of half the side that holds the face, as a share of the side: lower than in a crop."""
TOP: Final = 20
"""First row of that window for the segmentor, in cells of 4 of 256 pixels."""
Adversarial = Literal["hinge", "wasserstein"]
Segmentor = Literal["frozen", "along"]


@dataclass(frozen=True, slots=True)
class ScganForm:
    """What is compared in ablations, beside the generator's form and terms of the loss."""

    adversarial: Adversarial = "hinge"
    """`hinge` with spectral normalisation; `wasserstein` with a gradient penalty."""
    segmentor: Segmentor = "frozen"
    """The packaged parsing network as it is, or a new one that is trained along on real pairs."""


@dataclass(frozen=True, slots=True, eq=False)
class Helpers:
    """Networks beside generator and discriminator."""

    features: Features | None
    segmenter: Segmenter | None


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a step works on; the first half is made for the portraits themselves."""

    pictures: Tensor
    """(N, 3, S, S) in -1..1."""
    labels: Tensor
    """(N, 19, S, S): shares of classes in the pictures."""
    kinds: Tensor
    """(N, 2 S, 2 S): labels of the pictures."""
    traits: Tensor
    """(N, 9): the pictures'."""
    asked: Tensor
    """(N, 19, S, S)."""
    asked_kinds: Tensor
    """(N, 2 S, 2 S)."""
    painted: Tensor
    """(N, 3, S, S) in -1..1."""
    colours: Tensor
    """(N, 57) in -1..1."""
    wanted: Tensor
    """(N, 9): asked traits."""

    @property
    def own(self) -> int:
        """How many are made for the portraits themselves."""
        return len(self.pictures) // 2


@dataclass(frozen=True, slots=True, eq=False)
class Latents:
    """Latents of a batch."""

    all: Tensor
    """(N, 96)."""
    divergence: Tensor


class ScganStep:
    """Networks, discriminator, segmentor, optimisers and averaged weights."""

    def __init__(
        self, size: ScganSize, form: ScganForm, losses: ScganLosses, helpers: Helpers, device: torch.device
    ) -> None:
        last: Any = {"memory_format": torch.channels_last}
        self._net: Any = Scgan(size).to(device, **last)
        self._judge: Any = Judge(form.adversarial == "hinge").to(device, **last)
        self._form, self._losses, self._helpers, self._device = form, losses, helpers, device
        self._optimiser = torch.optim.Adam(self._net.parameters(), lr=1e-3, betas=(0.5, 0.99))
        self._judges = torch.optim.Adam(self._judge.parameters(), lr=1e-3, betas=(0.5, 0.99))
        self._segments: Any = None
        if helpers.segmenter is not None and form.segmentor == "along":
            self._segments = torch.optim.AdamW(helpers.segmenter.parameters(), lr=2e-3)
        self._average = StateAverage(self._net, DECAY)
        self._weights = pixel_weights().to(device)
        self._steps = 0

    def __call__(self, raw: Raw) -> dict[str, float]:
        """Learn from a batch: the segmentor, the discriminator, then the generator."""
        self._net.train()
        batch = self._batch(raw)
        terms = {}
        if self._segments is not None:
            terms["segmentor"] = self._learn_segmentor(batch)
        latents = self._latents(batch)
        made = self._made(batch, latents.all)
        view = CriticView.drawn(2 * len(made), made.shape[-1], np.random.default_rng(self._steps), self._device, WINDOW)
        found, truth = self._learn_judge(batch, made.detach(), view)
        terms |= found
        own = self._terms(batch, made, latents, truth, view)
        weighed = [getattr(self._losses, name) * value for name, value in own.items()]
        self._optimiser.zero_grad(set_to_none=True)
        torch.stack(weighed).sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._net.parameters(), MOST)
        self._optimiser.step()
        self._steps += 1
        self._average.update(self._net, self._steps)
        return {name: float(value.detach()) for name, value in (terms | own).items()}

    def begin(self, state: dict[str, Any]) -> None:
        """Take over averaged weights of another run's state, and its discriminator's: those that fit."""
        take_over(self._net, state["average"])
        take_over(self._judge, state.get("judge", {}))
        self._average = StateAverage(self._net, DECAY)
        self._steps = STRONGER

    def set_rate(self, rate: float) -> None:
        """The learning rate."""
        for optimiser, times in ((self._optimiser, 1.0), (self._judges, JUDGE[self._steps >= STRONGER])):
            for group in optimiser.param_groups:
                group["lr"] = rate * times

    def compile(self, backend: str = "inductor") -> None:
        """Let torch compile the generator."""
        self._net.generator.forward = torch.compile(self._net.generator.forward, backend=backend)

    @torch.no_grad()
    def drawn(self, raw: Raw) -> Sequence[Tensor]:
        """Asked maps, painted maps, what is made of them with the portraits' latents and without, and the portraits."""
        with self._average.applied(self._net):
            batch = self._batch(raw)
            means, _ = self._net.encoder(*self._seen(batch.pictures, batch.labels))
            own, plain = (self._made(batch, latent, still=True) for latent in (means, 0 * means))
        maps = coloured(raw["asked"][:, ::FINER, ::FINER].long())
        return maps, batch.painted, own, plain, batch.pictures

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on."""
        state = {
            "network": self._net.state_dict(),
            "judge": self._judge.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "judges": self._judges.state_dict(),
            "average": self._average.state_dict(),
            "steps": self._steps,
        }
        if self._segments is not None:
            assert self._helpers.segmenter is not None
            state |= {"segmentor": self._helpers.segmenter.state_dict(), "segments": self._segments.state_dict()}
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._net.load_state_dict(state["network"])
        self._judge.load_state_dict(state["judge"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._judges.load_state_dict(state["judges"])
        self._steps = state["steps"]
        self._average.load_state_dict(state["average"])
        if self._segments is not None:
            assert self._helpers.segmenter is not None
            self._helpers.segmenter.load_state_dict(state["segmentor"])
            self._segments.load_state_dict(state["segments"])

    def _batch(self, raw: Raw) -> Batch:
        kinds, asked = (raw[name].to(self._device).long() for name in ("labels", "asked"))
        return Batch(
            self._signed(raw["pictures"]),
            shares_of(kinds, FINER),
            kinds,
            raw["traits"].to(self._device),
            shares_of(asked, FINER),
            asked,
            self._signed(raw["painted"]),
            raw["colours"].to(self._device) * 2 - 1,
            raw["wanted"].to(self._device),
        )

    def _latents(self, batch: Batch) -> Latents:
        """Those of the portraits for the first half, random ones for the second."""
        own = batch.own
        means, variances = self._net.encoder(*self._seen(batch.pictures[:own], batch.labels[:own]))
        found = means + torch.randn_like(means) * (0.5 * variances).exp()
        drawn = torch.randn(len(batch.pictures) - own, LENGTH, device=self._device)
        return Latents(torch.cat([found, drawn]), divergence_term(means, variances))

    def _made(self, batch: Batch, latent: Tensor, still: bool = False) -> Tensor:
        """(N, 3, S, S); `still`: with the same noise each time."""
        side = batch.pictures.shape[-1]
        count = len(batch.asked)
        generator = torch.Generator().manual_seed(7) if still else None
        noise = torch.randn(count, 1, side, side, generator=generator).to(self._device)
        attributes = batch.wanted
        if not self._net.size.hybrid:
            attributes = torch.cat([attributes, batch.colours], 1)
        made: Tensor = self._net(batch.asked, batch.painted, self._net.spread(latent), attributes, noise)
        return made

    def _seen(self, pictures: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """What the encoder sees, at 128 pixels: in the hybrid form all but the face, which the painted map tells."""
        times = pictures.shape[-1] // SIDE
        if times > 1:
            pictures, labels = functional.avg_pool2d(pictures, times), functional.avg_pool2d(labels, times)
        if self._net.size.hybrid:
            pictures = pictures * (1 - labels[:, 1:8].sum(1, keepdim=True) - labels[:, 10:13].sum(1, keepdim=True))
        return pictures, labels

    def _learn_segmentor(self, batch: Batch) -> Tensor:
        """Cross-entropy on real pairs."""
        assert self._helpers.segmenter is not None
        self._helpers.segmenter.train().requires_grad_(True)
        shown, kinds = batch.pictures[:COMPARED], batch.kinds[:COMPARED]
        loss = segments_term(self._helpers.segmenter, shown, kinds, self._steps, TOP)
        self._segments.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._segments.step()
        self._helpers.segmenter.eval().requires_grad_(False)
        return loss

    def _learn_judge(self, batch: Batch, made: Tensor, view: CriticView) -> tuple[dict[str, Tensor], list[Verdict]]:
        """Its losses, and what it said of the portraits that pictures are made for."""
        self._judge.requires_grad_(True)
        pictures = view.at(torch.cat([batch.pictures, made]))
        verdicts, traits = self._judge(pictures, torch.cat([batch.labels, batch.asked]), view.window)
        half = len(made)
        truth, fake = ([found.part(*span) for found in verdicts] for span in ((0, half), (half, None)))
        if self._form.adversarial == "hinge":
            loss = critic_term(truth, fake)
        else:
            halves = pictures[:half], pictures[half:]
            loss = wasserstein_term(truth, fake)
            loss = loss + PENALTY * gradient_penalty(self._judge, *halves, batch.labels, view.window)
        read = trait_term(traits[:half], batch.traits)
        self._judges.zero_grad(set_to_none=True)
        whole: Any = loss + read if self._losses.traits else loss
        whole.backward()
        self._judges.step()
        self._judge.requires_grad_(False)
        return {"critic": loss, "read": read}, [found.part(0, batch.own) for found in verdicts]

    def _terms(
        self, batch: Batch, made: Tensor, latents: Latents, truth: list[Verdict], view: CriticView
    ) -> dict[str, Tensor]:
        own, losses = batch.own, self._losses
        seen = CriticView(view.window, view.gain[: len(made)], view.offset[: len(made)]).at(made)
        verdicts, traits = self._judge(seen, batch.asked, view.window)
        terms = {"adversarial": adversarial_term(verdicts)}
        if losses.matching:
            terms["matching"] = matching_term(verdicts, truth, own)
        if losses.traits:
            terms["traits"] = trait_term(traits, batch.wanted)
        if losses.pixel:
            terms["pixel"] = pixel_term(made[:own], batch.pictures[:own], batch.labels[:own], self._weights)
        if losses.colour:
            terms["colour"] = colour_term(made, batch.asked, batch.colours)
        if losses.divergence:
            terms["divergence"] = latents.divergence
        if losses.latent:
            terms["latent"] = self._found_again(batch, made, latents.all)
        if self._helpers.features is not None and losses.perceptual:
            shown, truths = made[: min(own, COMPARED)], batch.pictures[: min(own, COMPARED)]
            terms["perceptual"] = perceptual_term(self._helpers.features, shown, truths, self._steps, WINDOW)
        if self._helpers.segmenter is not None and losses.segments and self._steps % 2:
            shown, kinds = made[-COMPARED:], batch.asked_kinds[-COMPARED:]
            terms["segments"] = segments_term(self._helpers.segmenter, shown, kinds, self._steps, TOP)
        return terms

    def _found_again(self, batch: Batch, made: Tensor, latent: Tensor) -> Tensor:
        own = batch.own
        means, _ = self._net.encoder(*self._seen(made[own:], batch.asked[own:]))
        apart: Tensor = (means - latent[own:]).abs().mean()
        return apart

    def _signed(self, pixels: Tensor) -> Tensor:
        """(N, 3, S, S) in -1..1."""
        return (pixels.to(self._device).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
