"""An engine for tests that answers a frame with the frame, enlarged; `--model broken` does not get ready, `still` shows
the same for all, `untrained` has random weights."""

from __future__ import annotations

import argparse
import sys

import numpy as np

from mien_bench.engines.protocol import Pixels, serve


class Echo:
    about = "nearest neighbour, 256 to 512"

    def __init__(self, model: str) -> None:
        self.trained = model != "untrained"
        self._still = model == "still"

    def prepare(self, source: Pixels, first: Pixels) -> None:
        sys.stdout.write("engines print as they like")
        self._source = source

    def answer(self, frame: Pixels) -> Pixels:
        shown = self._source if self._still else frame
        return np.ascontiguousarray(np.repeat(np.repeat(shown, 2, axis=0), 2, axis=1))


def _open(options: argparse.Namespace) -> Echo:
    if options.model == "broken":
        raise SystemExit("expected weights, got none")
    return Echo(options.model)


if __name__ == "__main__":
    sys.exit(serve(_open))
