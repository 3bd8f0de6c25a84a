"""Training loop: stages, checkpoints, sample pictures, progress; resumes exactly where it stopped."""

from __future__ import annotations

import json
import random
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mien.errors import SettingError
from mien.machine.atomic import write_atomically, written
from mien.machine.signals import ENDINGS, INTERRUPT
from mien.paint.fillers import BYTE_SCALE
from mien_export.data.faces import Faces
from mien_export.train import checkpoint
from mien_export.train.checkpoint import write_pieces
from mien_export.train.course import Course, Part, Raw, Step, all_steps, part_at
from mien_export.train.feed import batches


def write_grid(path: Path, columns: Sequence[Tensor]) -> None:
    """Write columns of pictures (N, 3, H, W) in -1..1 as PNG."""
    rows = [_bytes(column) for column in columns]
    whole = np.concatenate([np.concatenate(list(column), axis=0) for column in rows], axis=1)
    with written(path) as file:
        Image.fromarray(whole).save(file, "PNG")


def _bytes(pictures: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    values = pictures.detach().float().cpu().permute(0, 2, 3, 1).numpy() * BYTE_SCALE + BYTE_SCALE + 0.5
    return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)


LATEST: Final = "latest.pt"
PIECES: Final = "latest.pieces"
SHOWN: Final = 6
"""Rows of a picture grid."""
CURVES: Final = "terms.jsonl"
"""Terms of the loss over the steps, as JSON lines beside the checkpoint."""
TERMS_EVERY: Final = 10
"""Steps in a line, which holds the last one's number and the mean of each term."""
WINDOW: Final = 50
"""Steps over which the line of progress averages."""


@dataclass(frozen=True, slots=True)
class Run:
    """Where and how a run goes, none of which changes what it learns but for rounding."""

    out: Path
    device: str = "cpu"
    workers: int = 1
    threads: int | None = None
    seconds: float | None = None
    """Stop, with a checkpoint, after so long."""
    until: int | None = None
    """Stop, with a checkpoint, after so many steps in all; the learning rate is that of the whole run."""
    every: float = 180.0
    """Seconds between checkpoints."""
    grid_every: int = 500
    """Steps between picture grids."""
    compiled: bool = False
    """Whether torch compiles the networks."""
    pieces: bool = False
    """Whether checkpoints are written in pieces, too."""


def train(
    course: Course,
    faces: Faces,
    seed: int,
    run: Run,
    clock: Callable[[], float] = time.monotonic,
    tell: TextIO = sys.stderr,
) -> list[dict[str, float]]:
    """Run `course` to its end or for `run.seconds`; returns the terms of the steps done now.

    Raises:
        SettingError: `run.out` holds another run.
        MienError: what the course is given is missing or broken.
    """
    _settle(seed, run)
    step = course.step(torch.device(run.device))
    done = _resumed(step, course, seed, run.out / LATEST)
    if run.compiled:
        step.compile()
    run.out.mkdir(parents=True, exist_ok=True)
    began = saved = clock()
    history: list[dict[str, float]] = []
    line, curves = _Line(tell, all_steps(course.parts)), Curves(run.out / CURVES, done)
    asked = _stop_asked()
    while done < line.steps and not asked and not _over(run, done, clock() - began):
        index, first = part_at(course.parts, done)
        part = course.parts[index]
        samples = course.samples(faces, seed, index)
        pinned = run.device != "cpu"
        for raw in batches(samples, done - first, part.steps, part.batch, run.workers, course.collate, pinned):
            step.set_rate(part.rate_at(done - first))
            terms = step(raw)
            done += 1
            history.append(terms)
            curves.add(done, terms)
            line.show(done, part, terms, clock())
            if done % run.grid_every == 0:
                _draw(step, raw, run.out / f"step{done:06d}.png")
            if clock() - saved > run.every:
                _save(step, course, seed, done, run, curves)
                saved = clock()
            if asked or _over(run, done, clock() - began):
                break
    _save(step, course, seed, done, run, curves)
    line.end()
    return history


def _settle(seed: int, run: Run) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # other people's code may draw from it
    torch.manual_seed(seed)
    # What torch 2.13 compiles of these networks where it must be deterministic frees a tensor that it still needs.
    torch.use_deterministic_algorithms(not run.compiled, warn_only=True)
    if run.threads is not None:
        torch.set_num_threads(run.threads)


def _stop_asked() -> list[int]:
    """A list that is empty until the process is asked to end; then the run stops after its step, with a checkpoint."""
    asked: list[int] = []
    if threading.current_thread() is threading.main_thread():
        for number in (INTERRUPT, *ENDINGS):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, lambda number, _: asked.append(number))
    return asked


def _over(run: Run, done: int, seconds: float) -> bool:
    late = run.seconds is not None and seconds >= run.seconds
    return late or (run.until is not None and done >= run.until)


def _resumed(step: Step, course: Course, seed: int, path: Path) -> int:
    """Steps already done, after loading them into `step`."""
    if not path.exists():
        return 0
    state = checkpoint.load(path)
    for name, asked in _marks(course, seed).items():
        if state.get(name) != asked:
            raise SettingError(
                f"{path} holds a run whose {name} is {state.get(name)}, asked for {asked}; "
                "give another --out or the same settings"
            )
    step.load_state_dict(state["step"])
    torch.set_rng_state(state["rng"])
    return int(state["done"])


def _marks(course: Course, seed: int) -> dict[str, Any]:
    return {**course.marks, "seed": seed, "steps": all_steps(course.parts)}


def _save(step: Step, course: Course, seed: int, done: int, run: Run, curves: Curves) -> None:
    curves.write()
    state = {**_marks(course, seed), **course.facts(done), "said": course.said(), "done": done}
    path = run.out / LATEST
    checkpoint.save(path, state | {"rng": torch.get_rng_state(), "step": step.state_dict()})
    if run.pieces:
        write_pieces(path, run.out / PIECES)


def _draw(step: Step, raw: Raw, path: Path) -> None:
    write_grid(path, step.drawn({name: value[:SHOWN] for name, value in raw.items()}))


class _Line:
    """One line that says how it goes."""

    def __init__(self, tell: TextIO, steps: int) -> None:
        self.steps = steps
        self._tell = tell
        self._terms: deque[dict[str, float]] = deque(maxlen=WINDOW)
        self._times: deque[float] = deque(maxlen=WINDOW)

    def show(self, done: int, part: Part, terms: dict[str, float], now: float) -> None:
        self._terms.append(terms)
        self._times.append(now)
        if done % 10 and self._tell.isatty() is False and done % 100:
            return
        pace = (len(self._times) - 1) / max(self._times[-1] - self._times[0], 1e-9)
        rows = {name: [row[name] for row in self._terms if name in row] for name in terms}  # some terms begin later
        means = {name: sum(values) / len(values) for name, values in rows.items()}
        words = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
        left = (self.steps - done) / pace / 60 if pace > 0 else 0.0
        end = "\r" if self._tell.isatty() else "\n"
        self._tell.write(
            f"step {done}/{self.steps}  {words}  {pace * part.batch:.1f} samples/s  {left:.0f} min left   {end}"
        )
        self._tell.flush()

    def end(self) -> None:
        if self._tell.isatty():
            self._tell.write("\n")


class Curves:
    """Collects the terms of steps; `write` puts whole lines into the file."""

    def __init__(self, path: Path, done: int) -> None:
        """Goes on after `done` steps: what the file has beyond them was of a run that was killed."""
        self._path = path
        self._lines = [line for line in _lines(path) if line["step"] <= done]
        self._open: list[dict[str, float]] = []

    def add(self, step: int, terms: dict[str, float]) -> None:
        """The terms of step number `step`, which is 1 for the first."""
        self._open.append(terms)
        if step % TERMS_EVERY == 0:
            names = dict.fromkeys(name for row in self._open for name in row)
            rows = {name: [row[name] for row in self._open if name in row] for name in names}
            means = {name: sum(values) / len(values) for name, values in rows.items()}
            self._lines.append({"step": step, **means})
            self._open = []

    def write(self) -> None:
        """Replace the file at once."""
        write_atomically(self._path, "".join(json.dumps(line) + "\n" for line in self._lines).encode())


def _lines(path: Path) -> list[dict[str, float]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
