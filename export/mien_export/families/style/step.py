"""A part of a run that trains a network of styles, and one of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.machine.processor import this_processor
from mien_export.families.style.goals import StyleGoals
from mien_export.families.style.losses import (
    StyleLosses,
    colour_term,
    content_term,
    style_term,
    temporal_term,
    variation_term,
)
from mien_export.families.style.network import StyleNetwork, drawn, recoloured
from mien_export.families.style.samples import OUTSIDE
from mien_export.train.average import Average
from mien_export.train.course import Part, Raw, part_at

DECAY: Final = 0.998
"""Of the averaged weights, per step."""
MOST: Final = 5.0
"""Norm of a step's gradient."""
ROWS, COLOURS = 4.0, 0.5
"""Learning rate of a style's own scales and shifts, and of its colour transfer, relative to the convolutions'."""
WARM_UP: Final = 20
"""Steps in which the learning rate rises."""


@dataclass(frozen=True, slots=True)
class StylePart(Part):
    """Part of a run, with a rate that falls to a twentieth over the part where it `falls`."""

    side: int = 160
    """Of the windows that are learnt from, in pixels."""
    full: int = 208
    """Side to which whole portraits are brought, and the shorter side of paintings."""
    rate: float = 2e-3
    temporal: bool = False
    """Whether the strokes of a moment later are compared."""
    falls: bool = False

    def rate_at(self, step: int) -> float:
        """Learning rate at a step of this part."""
        falling = step / max(self.steps, 1) if self.falls else 0.0
        return self.rate * min((step + 1) / WARM_UP, 1.0) * max(1 - falling, 0.05)


class StyleStep:
    """The network, its optimiser and its averaged weights."""

    def __init__(
        self,
        network: StyleNetwork,
        goals: StyleGoals,
        stages: Sequence[StylePart],
        losses: StyleLosses,
        device: torch.device,
        learning: Sequence[int] | None = None,
    ) -> None:
        """Every picture of a batch is drawn in each style that learns, and what it is compared by is computed once.

        Args:
            goals: of the styles that learn, in their order.
            learning: their numbers; the convolutions then stay as they are. None: everything learns.
        """
        moved: Any = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._net: StyleNetwork = moved
        self._goals, self._stages, self._losses, self._device = goals, stages, losses, device
        self._optimiser = torch.optim.Adam(_groups(network, learning is not None), lr=1e-3, betas=(0.9, 0.99))
        self._styles = torch.tensor(range(network.styles) if learning is None else learning, device=device)
        self._average = Average(network, DECAY)
        self._steps = 0

    def __call__(self, raw: Raw) -> dict[str, float]:
        """Learn from a batch."""
        self._net.train()
        terms = self._terms(raw)
        loss = torch.stack([getattr(self._losses, name) * value for name, value in terms.items()]).sum()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._net.parameters(), MOST)
        self._optimiser.step()
        self._average.update(self._net)
        self._steps += 1
        return {name: float(value.detach()) for name, value in terms.items()}

    def set_rate(self, rate: float) -> None:
        """The learning rate of the convolutions; the others' are multiples of it."""
        for group in self._optimiser.param_groups:
            group["lr"] = rate * group["times"]

    def compile(self, backend: str = "inductor") -> None:
        """Let torch compile the network's forward pass."""
        self._net.forward = torch.compile(self._net.forward, backend=backend)  # type: ignore[method-assign]

    @torch.no_grad()
    def drawn(self, raw: Raw) -> Sequence[Tensor]:
        """Every style of each picture, then the picture."""
        pictures = self._pictures(raw["pictures"])
        columns = []
        self._net.eval()
        with self._average.applied(self._net):
            for row in torch.eye(self._net.styles, device=self._device):
                mix = row.expand(len(pictures), -1)
                strokes, _ = self._net(2 * pictures - 1, mix)
                columns.append(2 * drawn(recoloured(pictures, self._net.transfer(mix)), strokes) - 1)
        return *columns, 2 * pictures - 1

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on."""
        return {
            "network": self._net.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "average": self._average.state_dict(),
            "steps": self._steps,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._net.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._average.load_state_dict(state["average"])
        self._steps = state["steps"]

    def _terms(self, raw: Raw) -> dict[str, Tensor]:
        part = self._stages[part_at(self._stages, self._steps)[0]]
        once, count = self._pictures(raw["pictures"]), len(self._styles)
        pictures, goals = once.repeat_interleave(count, 0), torch.arange(count, device=self._device).repeat(len(once))
        weight = (raw["weights"].to(self._device)[:, None].float() / 255).repeat_interleave(count, 0)
        mix = functional.one_hot(self._styles.repeat(len(once)), self._net.styles).float()
        later = self._pictures(raw["later"]).repeat_interleave(count, 0) if part.temporal else None
        answers, later = self._answers(pictures, later, mix)
        with torch.no_grad(), self._autocast():
            own = tuple(map_.repeat_interleave(count, 0) for map_ in self._goals.extractor(2 * once - 1))
        with self._autocast():
            found = self._goals.extractor(2 * answers - 1)
        terms = {
            "style": style_term(found, goals, self._goals.statistics(part.full), self._goals.weights),
            "content": content_term(found, own, weight, self._losses.face),
            "colour": colour_term(answers, pictures, self._net.transfer(mix).detach(), weight),
            "variation": variation_term(answers),
        }
        if later is not None:
            flow = raw["flows"].to(self._device).repeat_interleave(count, 0)
            inside = (flow.abs().amax(-1) < OUTSIDE)[:, None].float()
            terms["temporal"] = temporal_term(answers, later, flow, inside)
        return terms

    def _answers(self, pictures: Tensor, later: Tensor | None, mix: Tensor) -> tuple[Tensor, Tensor | None]:
        """Of the pictures, and of a moment later where that is compared."""
        whole, shares = pictures, mix
        if later is not None:
            whole, shares = torch.cat([pictures, later]), torch.cat([mix, mix])
        with self._autocast():
            strokes, _ = self._net(2 * whole - 1, shares)
        answers = drawn(recoloured(whole, self._net.transfer(shares)), strokes)
        count = len(pictures)
        return answers[:count], answers[count:] if later is not None else None

    def _autocast(self) -> torch.autocast:
        """bfloat16 where there are matrix units for it; without them it is half as fast as float32."""
        fast = self._device.type != "cpu" or "amx" in this_processor().features
        return torch.autocast(self._device.type, torch.bfloat16, enabled=fast)

    def _pictures(self, bytes_: Tensor) -> Tensor:
        """(N, 3, S, S) in 0..1."""
        pictures = bytes_.to(self._device).float() / 255
        return pictures.contiguous(memory_format=torch.channels_last)


def _groups(network: StyleNetwork, rows_only: bool) -> list[dict[str, Any]]:
    rows = [value for name, value in network.named_parameters() if name.endswith((".scale", ".shift"))]
    colours = [network.colours, network.offsets]
    others = [value for name, value in network.named_parameters() if not name.endswith((".scale", ".shift"))]
    convolutions = [value for value in others if all(value is not one for one in colours)]
    groups = [{"params": rows, "times": ROWS}, {"params": colours, "times": COLOURS}]
    if rows_only:
        for value in convolutions:
            value.requires_grad_(False)
        return groups
    return [{"params": convolutions, "times": 1.0}, *groups]
