"""Exponential moving averages of weights, which are evaluated and shipped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class Average:
    """Keeps decay * average + (1 - decay) * weight of every parameter; early on the decay is smaller."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.values = {name: value.detach().clone() for name, value in module.named_parameters()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take the present weights in."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        names = list(self.values)
        present = dict(module.named_parameters())
        torch._foreach_lerp_([self.values[name] for name in names], [present[name] for name in names], 1 - decay)

    @contextlib.contextmanager
    def applied(self, module: nn.Module) -> Iterator[None]:
        """`module` with the average's weights, inside."""
        own = {name: value.data for name, value in module.named_parameters()}
        for name, value in module.named_parameters():
            value.data = self.values[name]
        try:
            yield
        finally:
            for name, value in module.named_parameters():
                value.data = own[name]

    def state_dict(self) -> dict[str, object]:
        """Values and the count of steps."""
        return {"steps": self.steps, "values": {name: value.clone() for name, value in self.values.items()}}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Go on from `state_dict`."""
        steps, values = state["steps"], state["values"]
        assert isinstance(steps, int)
        assert isinstance(values, dict)
        self.steps = steps
        for name, value in self.values.items():
            saved = values[name]
            assert isinstance(saved, Tensor)
            value.copy_(saved)


class StateAverage:
    """The same of a network's whole state: statistics of its normalisations belong to the weights."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self._values = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, steps: int) -> None:
        """Take the present state in, after so many steps; early on the average follows it faster."""
        decay = min(self._decay, (1 + steps) / (10 + steps))
        for name, value in network.state_dict().items():
            if value.dtype.is_floating_point:
                self._values[name].lerp_(value, 1 - decay)
            else:
                self._values[name].copy_(value)

    @contextlib.contextmanager
    def applied(self, network: nn.Module) -> Iterator[None]:
        """`network` with the average's state, in evaluation mode, inside."""
        own = {name: value.clone() for name, value in network.state_dict().items()}
        network.load_state_dict(self._values)
        network.eval()
        try:
            yield
        finally:
            network.load_state_dict(own)
            network.train()

    def state_dict(self) -> dict[str, Tensor]:
        """By the names of the network's state."""
        return {name: value.clone() for name, value in self._values.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from `state_dict`."""
        for name, value in self._values.items():
            value.copy_(state[name])
