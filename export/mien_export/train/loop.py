"""The loop of a run: stages, checkpoints, pictures, a line of progress; goes on where it was stopped, to the bit."""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
import torch

from mien.errors import SettingError
from mien_export.data.faces import Faces
from mien_export.data.open_mouth import mouth_model
from mien_export.data.sampler import Sampler, Sampling
from mien_export.graphs.weights import read_weights
from mien_export.train import checkpoint
from mien_export.train.config import LiveConfig, Stage
from mien_export.train.feed import batches
from mien_export.train.grid import write_grid
from mien_export.train.live import LiveStep

LATEST: Final = "latest.pt"
SHOWN: Final = 6
"""Rows of a picture grid."""
WINDOW: Final = 50
"""Steps over which the line of progress averages."""


@dataclass(frozen=True, slots=True)
class Run:
    """Where and how a run goes, none of which changes what it learns."""

    out: Path
    device: str = "cpu"
    workers: int = 1
    threads: int | None = None
    seconds: float | None = None
    """Stop, with a checkpoint, after so long."""
    every: float = 180.0
    """Seconds between checkpoints."""
    grid_every: int = 500
    """Steps between picture grids."""
    begin: Path | None = None
    """Folder of a bundle whose weights a new run begins with; None: with none."""
    mouths: Path | None = None
    """Folder of the ICT face model, of which wide mouths are rendered; None: photographed mouths only."""


def train(
    config: LiveConfig,
    faces: Faces,
    seed: int,
    run: Run,
    clock: Callable[[], float] = time.monotonic,
    tell: TextIO = sys.stderr,
) -> list[dict[str, float]]:
    """Run `config` to its end or for `run.seconds`; returns the terms of the steps done now.

    Raises:
        SettingError: `run.out` holds a run of another config or seed.
    """
    run.out.mkdir(parents=True, exist_ok=True)
    _settle(seed, run.threads)
    step = LiveStep(config.size, torch.device(run.device), config.losses)
    done = _resumed(step, config, seed, run.out / LATEST)
    if run.begin is not None and not (run.out / LATEST).exists():
        _begin(step, config, run.begin)
    began = saved = clock()
    history: list[dict[str, float]] = []
    line = _Line(tell, config.steps)
    model = mouth_model(run.mouths) if run.mouths is not None else None
    asked = _stop_asked()
    while done < config.steps and not asked and not _over(run, clock() - began):
        index, first = config.stage_at(done)
        stage = config.stages[index]
        sampler = Sampler(faces, Sampling(seed=seed * 1000 + index, side=stage.side), model)
        for raw in batches(sampler, done - first, stage.steps, stage.batch, run.workers):
            step.set_rate(stage.rate_at(done - first))
            terms = step(raw)
            done += 1
            history.append(terms)
            line.show(done, stage, terms, clock())
            if done % run.grid_every == 0:
                _draw(step, raw, run.out / f"step{done:06d}.png")
            if clock() - saved > run.every:
                _save(step, config, seed, done, run.out / LATEST)
                saved = clock()
            if asked or _over(run, clock() - began):
                break
    _save(step, config, seed, done, run.out / LATEST)
    line.end()
    return history


def _settle(seed: int, threads: int | None) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # other people's code may draw from it
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    if threads is not None:
        torch.set_num_threads(threads)


def _stop_asked() -> list[int]:
    """A list that is empty until the process is asked to end; then the run stops after its step, with a checkpoint."""
    asked: list[int] = []
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: asked.append(number))
    return asked


def _over(run: Run, seconds: float) -> bool:
    return run.seconds is not None and seconds >= run.seconds


def _resumed(step: LiveStep, config: LiveConfig, seed: int, path: Path) -> int:
    """Steps already done, after loading them into `step`."""
    if not path.exists():
        return 0
    state = checkpoint.load(path)
    held, asked = (state["size"], state["seed"], state["steps"]), (config.size, seed, config.steps)
    if held != asked:
        raise SettingError(
            f"{path} holds a run of size, seed and steps {held}, asked for {asked}; "
            "give another --out or the same settings"
        )
    step.load_state_dict(state["step"])
    torch.set_rng_state(state["rng"])
    return int(state["done"])


def _begin(step: LiveStep, config: LiveConfig, folder: Path) -> None:
    size, weights = read_weights(folder)
    if size != config.size:
        raise SettingError(f"{folder} holds weights of size {size}, asked for size {config.size}; give another bundle")
    step.begin(weights)


def _save(step: LiveStep, config: LiveConfig, seed: int, done: int, path: Path) -> None:
    state: dict[str, Any] = {"size": config.size, "seed": seed, "steps": config.steps, "done": done}
    state["rng"] = torch.get_rng_state()
    checkpoint.save(path, state | {"step": step.state_dict()})


def _draw(step: LiveStep, raw: dict[str, torch.Tensor], path: Path) -> None:
    write_grid(path, *step.paint({name: value[:SHOWN] for name, value in raw.items()}))


class _Line:
    """One line that says how it goes."""

    def __init__(self, tell: TextIO, steps: int) -> None:
        self._tell, self._steps = tell, steps
        self._terms: deque[dict[str, float]] = deque(maxlen=WINDOW)
        self._times: deque[float] = deque(maxlen=WINDOW)

    def show(self, done: int, stage: Stage, terms: dict[str, float], now: float) -> None:
        self._terms.append(terms)
        self._times.append(now)
        if done % 10 and self._tell.isatty() is False and done % 100:
            return
        pace = (len(self._times) - 1) / max(self._times[-1] - self._times[0], 1e-9)
        means = {name: sum(row[name] for row in self._terms) / len(self._terms) for name in terms}
        words = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
        left = (self._steps - done) / pace / 60 if pace > 0 else 0.0
        end = "\r" if self._tell.isatty() else "\n"
        self._tell.write(
            f"step {done}/{self._steps}  {words}  {pace * stage.batch:.1f} samples/s  {left:.0f} min left   {end}"
        )
        self._tell.flush()

    def end(self) -> None:
        if self._tell.isatty():
            self._tell.write("\n")
