"""How far a build is: TensorRT tells phases within phases, each of so many steps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

Told = Callable[[str, float], None]
"""Called with the phase that is being worked on and the share of its outermost phase that is done, 0..1."""


@dataclass(slots=True)
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


class BuildProgress:
    """Keeps the phases and tells of them; TensorRT calls it from threads of its own."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._phases: dict[str, _Phase] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Ask the build to end; it does at the next step."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def begin(self, name: str, parent: str | None, steps: int) -> None:
        """A phase begins, within another or on its own."""
        with self._lock:
            self._phases[name] = _Phase(parent, max(steps, 1))
            share = self._share(name)
        self._told(name, share)

    def step(self, name: str, number: int) -> bool:
        """Step `number`, from 0, is done; whether the build goes on."""
        with self._lock:
            if name in self._phases:
                self._phases[name].done = number + 1
            share = self._share(name)
        self._told(name, share)
        return not self.stopped

    def end(self, name: str) -> None:
        """A phase is over, whether or not all of its steps were told."""
        with self._lock:
            self._phases.pop(name, None)

    def _share(self, name: str) -> float:
        """Of the outermost phase around this one: each phase fills one step of its parent."""
        share, at = 0.0, self._phases.get(name)
        while at is not None:
            share = min((at.done + share) / at.steps, 1.0)
            at = self._phases.get(at.parent) if at.parent else None
        return share
