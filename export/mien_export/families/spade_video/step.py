"""One training step of a synthesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from mien.face.classes import CLASSES
from mien.parsing.maps import FINER
from mien_export.families.parsing.course import coloured
from mien_export.families.parsing.network import Segmenter
from mien_export.families.spade_video.critic import Critic, Verdict
from mien_export.families.spade_video.losses import (
    SpadeLosses,
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
from mien_export.families.spade_video.moved import Moved, moved
from mien_export.families.spade_video.network import SpadeSize, SpadeVideo
from mien_export.families.style.losses import temporal_term
from mien_export.train.average import StateAverage
from mien_export.train.checkpoint import take_over
from mien_export.train.course import Raw
from mien_export.train.terms import Features

DECAY: Final = 0.998
"""Of the averaged weights, per step."""
SWAPPED: Final = 4
"""One of so many pictures is made in another one's style."""
COMPARED: Final = 4
"""Pictures of a batch that the trunk and the parsing network see."""
FOLLOWED: Final = 2
"""Pictures of a batch that are made a moment later, too."""
MOST: Final = 20.0
"""Norm of a step's gradient."""
FACE: Final = (0.27, 0.25)
"""Top left of the window of half the side that holds the face, as a share of the side."""
TOP: Final = 16
"""First row of that window for the parsing network, in cells of 4 of 256 pixels."""
CRITIC: Final = 1.6
"""Learning rate of the critic, relative to the generator's."""


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """Networks that do not learn."""

    features: Features | None
    segmenter: Segmenter | None


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a step works on."""

    pictures: Tensor
    """(N, 3, S, S) in -1..1."""
    labels: Tensor
    """(N, 19, S, S): shares of classes."""
    kinds: Tensor
    """(N, 2 S, 2 S): labels."""
    code: Tensor
    """(N, 96 + 57): the last ones are of other pictures."""
    divergence: Tensor

    @property
    def own(self) -> int:
        """How many are made in their own style: the first."""
        return len(self.pictures) - len(self.pictures) // SWAPPED


class SpadeStep:
    """Networks, critic, optimisers and averaged weights."""

    def __init__(self, size: SpadeSize, losses: SpadeLosses, judges: Judges, device: torch.device) -> None:
        self._net: Any = SpadeVideo(size).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._critic: Any = Critic().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._losses, self._judges, self._device = losses, judges, device
        self._optimiser = torch.optim.Adam(self._net.parameters(), lr=1e-3, betas=(0.5, 0.99))
        self._critics = torch.optim.Adam(self._critic.parameters(), lr=1e-3, betas=(0.5, 0.99))
        self._average = StateAverage(self._net, DECAY)
        self._weights = pixel_weights().to(device)
        self._steps = 0

    def __call__(self, raw: Raw) -> dict[str, float]:
        """Learn from a batch: first the critic, then the generator."""
        self._net.train()
        batch = self._batch(raw)
        rng = np.random.default_rng(self._steps)
        made, steady = self._made(batch, rng)
        view = CriticView.drawn(len(made), made.shape[-1], rng, self._device)
        lost, truth = self._learn_critic(batch, made.detach(), view)
        terms = {"critic": lost} | steady | self._terms(batch, made, truth, view)
        loss = torch.stack([getattr(self._losses, name) * value for name, value in terms.items() if name != "critic"])
        self._optimiser.zero_grad(set_to_none=True)
        loss.sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._net.parameters(), MOST)
        self._optimiser.step()
        self._steps += 1
        self._average.update(self._net, self._steps)
        return {name: float(value.detach()) for name, value in terms.items()}

    def begin(self, state: dict[str, Any]) -> None:
        """Take averaged weights of another run's state over, and its critic's: those of the same name and shape."""
        take_over(self._net, state["average"])
        take_over(self._critic, state.get("critic", {}))
        self._average = StateAverage(self._net, DECAY)

    def set_rate(self, rate: float) -> None:
        """The learning rate."""
        for optimiser, times in ((self._optimiser, 1.0), (self._critics, CRITIC)):
            for group in optimiser.param_groups:
                group["lr"] = rate * times

    def compile(self, backend: str = "inductor") -> None:
        """Let torch compile the generator."""
        self._net.generator.forward = torch.compile(self._net.generator.forward, backend=backend)

    @torch.no_grad()
    def drawn(self, raw: Raw) -> Sequence[Tensor]:
        """Maps, pictures in the next one's style and in their own, and the truth."""
        with self._average.applied(self._net):
            batch = self._batch(raw, mean=True)
            swapped = self._net(batch.labels, batch.code.roll(1, 0))
            own = self._net(batch.labels, batch.code)
        return coloured(raw["labels"][:, ::FINER, ::FINER].long()), swapped, own, batch.pictures

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on."""
        return {
            "network": self._net.state_dict(),
            "critic": self._critic.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "critics": self._critics.state_dict(),
            "average": self._average.state_dict(),
            "steps": self._steps,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._net.load_state_dict(state["network"])
        self._critic.load_state_dict(state["critic"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._critics.load_state_dict(state["critics"])
        self._steps = state["steps"]
        self._average.load_state_dict(state["average"])

    def _batch(self, raw: Raw, mean: bool = False) -> Batch:
        """`mean`: codes without chance, each its own picture's."""
        kinds = raw["labels"].to(self._device).long()
        labels = shares_of(kinds, FINER)
        source, given = self._signed(raw["sources"]), shares_of(raw["source_labels"].to(self._device).long())
        means, variances = self._net.encoder(source, given)
        code = means if mean else means + torch.randn_like(means) * (0.5 * variances).exp()
        code = torch.cat([code, self._net.colours(source, given)], 1)
        if not mean:
            others = len(code) // SWAPPED
            code = torch.cat([code[: len(code) - others], code[:others]])
        backdrop = raw["backdrops"].to(self._device).float() / 127.5 - 1
        first = means.shape[1]
        code = torch.cat([code[:, :first], backdrop, code[:, first + 3 :]], 1)
        return Batch(self._signed(raw["pictures"]), labels, kinds, code, divergence_term(means, variances))

    def _made(self, batch: Batch, rng: np.random.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """The pictures, and how steady some of them are as their maps move."""
        if not self._losses.temporal:
            return self._net(batch.labels, batch.code), {}
        later: Moved = moved(batch.labels[:FOLLOWED], rng)
        labels = torch.cat([batch.labels, later.labels]).contiguous(memory_format=torch.channels_last)
        pictures = self._net(labels, torch.cat([batch.code, batch.code[:FOLLOWED]]))
        made, after = pictures[: len(batch.labels)], pictures[len(batch.labels) :]
        return made, {"temporal": temporal_term(made[:FOLLOWED], after, later.flow, later.confidence)}

    def _learn_critic(self, batch: Batch, made: Tensor, view: CriticView) -> tuple[Tensor, list[Verdict]]:
        """Its loss, and what it said of the true pictures."""
        self._critic.requires_grad_(True)
        pictures = torch.cat([view.at(batch.pictures), view.at(made)])
        verdicts = self._critic(pictures, batch.labels, view.window)
        half = len(made)
        truth = [found.part(0, half) for found in verdicts]
        loss = critic_term(truth, [found.part(half, None) for found in verdicts])
        self._critics.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._critics.step()
        self._critic.requires_grad_(False)
        return loss, truth

    def _terms(self, batch: Batch, made: Tensor, truth: list[Verdict], view: CriticView) -> dict[str, Tensor]:
        own = batch.own
        verdicts = self._critic(view.at(made), batch.labels, view.window)
        colours = batch.code[:, -3 * len(CLASSES) :]
        terms = {
            "adversarial": adversarial_term(verdicts),
            "matching": matching_term(verdicts, truth, own),
            "pixel": pixel_term(made[:own], batch.pictures[:own], batch.labels[:own], self._weights),
            "colour": colour_term(made, batch.labels, colours),
        }
        if self._net.size.architecture != "pix2pix":
            terms["divergence"] = batch.divergence
        if self._judges.features is not None and self._losses.perceptual:
            shown, truths = made[:COMPARED], batch.pictures[:COMPARED]
            terms["perceptual"] = perceptual_term(self._judges.features, shown, truths, self._steps, FACE)
        if self._judges.segmenter is not None and self._losses.segments and self._steps % 2:
            shown, kinds = made[-COMPARED:], batch.kinds[-COMPARED:]
            terms["segments"] = segments_term(self._judges.segmenter, shown, kinds, self._steps, TOP)
        return terms

    def _signed(self, pixels: Tensor) -> Tensor:
        """(N, 3, S, S) in -1..1."""
        return (pixels.to(self._device).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True, slots=True, eq=False)
class CriticView:
    """How the critic sees pictures in one step: in other light, and where in detail. It learns less by heart."""

    window: tuple[int, int]
    gain: Tensor
    offset: Tensor

    @classmethod
    def drawn(
        cls,
        count: int,
        side: int,
        rng: np.random.Generator,
        device: torch.device,
        face: tuple[float, float] = FACE,
    ) -> CriticView:
        """For `count` pictures of a side; `face`: where the window of the face is, as `FACE`."""
        if rng.uniform() < 0.6:
            window = tuple(int(share * side) + int(rng.integers(-4, 5)) for share in face)
        else:
            window = tuple(rng.integers(0, side // 2 + 1, 2).tolist())
        gain, offset = rng.uniform(0.8, 1.2, (count, 1, 1, 1)), rng.uniform(-0.2, 0.2, (count, 1, 1, 1))
        return cls(
            (window[0], window[1]),
            torch.from_numpy(gain.astype(np.float32)).to(device),
            torch.from_numpy(offset.astype(np.float32)).to(device),
        )

    def at(self, pictures: Tensor) -> Tensor:
        """Pictures as they are shown."""
        return torch.addcmul(self.offset, pictures, self.gain)


def shares_of(kinds: Tensor, finer: int = 1) -> Tensor:
    """(N, 19, H, W), channels last: shares of classes among the `finer` x `finer` labels (N, finer H, finer W) of each
    pixel."""
    count, height, width = kinds.shape[0], kinds.shape[1] // finer, kinds.shape[2] // finer
    cells = kinds.view(count, height, finer, width, finer).transpose(2, 3).flatten(3)
    shares = torch.zeros((count, height, width, len(CLASSES)), device=kinds.device)
    part = torch.full((), 1 / finer**2, device=kinds.device).expand(cells.shape)
    return shares.scatter_add_(3, cells, part).permute(0, 3, 1, 2)
