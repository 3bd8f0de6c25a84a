"""mien itself, in the same form: landmarks to finished picture, on the calling thread."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from fractions import Fraction

import numpy as np

from mien.capture.sequence import IndexedSource
from mien.config import MotionSettings, ReenactSettings
from mien.frame import Frame
from mien.portrait.prepare import prepare, sized
from mien.stages import open_stages
from mien.stats import UNTIMED
from mien_bench.engines.protocol import Pixels, serve

RATE = Fraction(25)
SIZE = 512


class Own:
    """All stages of a frame; motion is relative to the first frame, as the others have it."""

    trained = True

    def __init__(self, model: str, threads: int) -> None:
        self._settings = ReenactSettings(model=model, threads=threads, mark=False, size=SIZE, motion=MotionSettings())
        self._open = ExitStack()
        self._number = 0

    def prepare(self, source: Pixels, first: Pixels) -> None:
        portraits = prepare(sized(source, SIZE, SIZE), size=SIZE)
        driver = IndexedSource("frames", lambda _: first, range(1), rate=RATE)
        self._stages = self._open.enter_context(open_stages(portraits, driver, self._settings))
        self.about = f"{self._stages.chain.about}, 256 to {SIZE}"

    about = "mien"

    def answer(self, frame: Pixels) -> Pixels:
        given = Frame(np.ascontiguousarray(frame), self._number, 1 / RATE)
        self._number += 1
        stages = self._stages
        motion = stages.motion(stages.parse(given), given.seconds)
        return np.array(stages.chain(motion, given, "full", UNTIMED))


def _open(options: argparse.Namespace) -> Own:
    return Own(options.model, options.threads)


if __name__ == "__main__":
    sys.exit(serve(_open))
