"""Terms of the loss over a run's steps, in a file of JSON lines beside its checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from mien.machine.atomic import write_atomically

CURVES: Final = "terms.jsonl"
EVERY: Final = 10
"""Steps in a line, which holds the last one's number and the mean of each term."""


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
        if step % EVERY == 0:
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
