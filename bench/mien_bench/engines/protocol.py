"""The process of an engine: it receives a picture and frames, and animates them in rounds on command.

This file and the adapters need nothing of mien but themselves: an engine may want a Python of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class Engine(Protocol):
    """One engine, ready to run."""

    about: str
    """Weights, runtime and sizes."""
    trained: bool
    """Whether its weights are; random ones have their speed and no quality."""

    def prepare(self, source: Pixels, first: Pixels) -> None:
        """What is done once for a picture (H, W, 3) and the driver's first frame, which motion is relative to."""
        ...

    def answer(self, frame: Pixels) -> Pixels:
        """The picture that answers a frame: (H, W, 3) in memory, whatever it was made on."""
        ...


Opener = Callable[[argparse.Namespace], Engine]


def serve(open_engine: Opener) -> int:
    """Open an engine and execute commands from standard input until it ends; replies are lines of JSON.

    `round` answers all frames: milliseconds for each. `keep FILE` does, and keeps the pictures.
    """
    options = _parser().parse_args()
    out, sys.stdout = sys.stdout, sys.stderr  # engines print as they like
    frames: Pixels = np.load(options.frames)
    engine = open_engine(options)
    begin = time.perf_counter()
    engine.prepare(np.load(options.source), frames[0])
    prepared = (time.perf_counter() - begin) * 1e3
    _say(out, {"about": engine.about, "trained": engine.trained, "prepared_ms": prepared, **_checked(engine, frames)})
    for line in sys.stdin:
        word, _, path = line.strip().partition(" ")
        times, made = answered(engine, frames)
        if word == "keep":
            np.save(path, made)
        _say(out, {"ms": times})
    return 0


def answered(engine: Engine, frames: Pixels) -> tuple[list[float], Pixels]:
    """Milliseconds for each frame, and the pictures (N, H, W, 3)."""
    times, made = [], []
    for frame in frames:
        begin = time.perf_counter()
        made.append(engine.answer(frame))
        times.append((time.perf_counter() - begin) * 1e3)
    return times, np.stack(made)


def _checked(engine: Engine, frames: Pixels) -> dict[str, Any]:
    """The first answers, which are not timed: whether they are pictures, and how far they differ with the driver."""
    made = [engine.answer(frame) for frame in (frames[0], frames[-1])]
    for one in made:
        if one.dtype != np.uint8 or one.ndim != 3 or one.shape[2] != 3:
            raise SystemExit(f"expected pictures (H, W, 3) of uint8, got {one.dtype} {one.shape}")
    moved = max(int(np.abs(one.astype(int) - made[0]).max()) for one in made)
    contrast = int(made[0].max()) - int(made[0].min())
    return {"size": [made[0].shape[1], made[0].shape[0]], "moved": moved, "contrast": contrast}


def _say(out: Any, value: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(value), file=out, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkout", type=Path)
    parser.add_argument("--source", type=Path, required=True, help="(H, W, 3) as .npy")
    parser.add_argument("--frames", type=Path, required=True, help="(N, H, W, 3) as .npy")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--model", default="")
    parser.add_argument("--live-portrait", type=Path)
    return parser
