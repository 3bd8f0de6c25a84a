"""The four figures of the paper: sample grids, error heat maps, bars of the final terms, curves over time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import SourceError
from mien_bench.ablation.answers import Answer
from mien_bench.charts import stack
from mien_bench.quality.picture_measures import difference
from mien_bench.quality.picture_strips import jpeg
from mien_bench.results import Chart, Line, Strip

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

MOST_ERROR: Final = 96.0
"""Grey levels from which on an error has viridis's last colour, as in the paper."""
SHOWN: Final = 5
"""Samples of a grid."""
CELL, GAP, GROUND = 128, 4, 24
"""Side of a picture in a grid, what lies between two, and its grey level."""
FINAL: Final = 0.1
"""Share of a run whose mean is the end of its curves."""
CRITIC: Final = "critic"
"""A curve that is no term of the generator."""
Terms = list[dict[str, float]]


def samples(given: Sequence[Answer]) -> Strip:
    """The paper's figure 1 of a column: source and its landmarks, result, target's landmarks and target."""
    lines = [
        [a.source, drawn(a.source_points, a.source.shape[0]), a.made, drawn(a.points, a.truth.shape[0]), a.truth]
        for a in given[:SHOWN]
    ]
    labels = ("source", "its landmarks", "result", "target landmarks", "target")
    return Strip(f"Samples: {given[0].column}", labels, jpeg(grid(lines)))


def errors(by_column: Mapping[str, Sequence[Answer]]) -> Strip:
    """The paper's figure 2: the pair, the result of each column, the error of each column."""
    lines = []
    for own in list(zip(*by_column.values(), strict=True))[:SHOWN]:
        first = own[0]
        made = [answer.made for answer in own]
        lines.append(
            [first.source, drawn(first.points, first.truth.shape[0]), first.truth]
            + made
            + [heat(difference(picture, first.truth)) for picture in made]
        )
    names = tuple(by_column)
    labels = ("source", "target landmarks", "target", *names, *(f"error: {name}" for name in names))
    about = f"Errors are absolute, the mean over colours, viridis from 0 to {MOST_ERROR:g} grey levels and above."
    return Strip("Results and errors of all columns", labels, jpeg(grid(lines)), about)


def heat(error: NDArray[np.float32]) -> Pixels:
    """(H, W, 3): errors (H, W) in grey levels in the colours of viridis."""
    bytes_ = np.clip(error * (255 / MOST_ERROR) + 0.5, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(bytes_, cv2.COLORMAP_VIRIDIS)[:, :, ::-1])


def drawn(points: Array, side: int) -> Pixels:
    """(CELL, CELL, 3): 68 points (68, 2) in pixels of a picture of this side, as dots."""
    out = np.zeros((CELL, CELL, 3), np.uint8)
    for x, y in ((points + 0.5) * (CELL / side) - 0.5).tolist():
        cv2.circle(out, (round(x), round(y)), 1, (255, 255, 255), -1, cv2.LINE_AA)
    return out


def grid(lines: Sequence[Sequence[Pixels]]) -> Pixels:
    """Square pictures in lines, each enlarged to `CELL`."""
    step = CELL + GAP
    out = np.full((len(lines) * step - GAP, len(lines[0]) * step - GAP, 3), GROUND, np.uint8)
    for row, line in enumerate(lines):
        for column, picture in enumerate(line):
            large = cv2.resize(picture, (CELL, CELL), interpolation=cv2.INTER_CUBIC)
            out[row * step : row * step + CELL, column * step : column * step + CELL] = large
    return out


def bars(terms: Mapping[str, Terms], weights: Mapping[str, Mapping[str, float]]) -> Chart:
    """The paper's figure 3: terms at the end of training by column, times the weights that the column has."""
    ends = {
        column: {name: weights[column].get(name, 0.0) * value for name, value in _end(lines).items()}
        for column, lines in terms.items()
        if lines
    }
    return stack("Terms at the end of training", "terms times their weights, one behind the other", ends)


def weights_of(losses: str) -> dict[str, float]:
    """Weight by term of what a manifest says of losses, such as "pixel 10, triple 100"."""
    plain = re.sub(r"\(.*?\)", "", losses)
    return {name: float(number) for name, number in re.findall(r"(?:^|, )(\w+) ([\d.e+-]+)", plain)}


def curves(terms: Mapping[str, Terms]) -> Iterator[Chart]:
    """The paper's figure 4: each term over the steps, of all columns."""
    names = dict.fromkeys(name for lines in terms.values() for line in lines for name in line if name != "step")
    for name in names:
        shown = {column: [line for line in lines if name in line] for column, lines in terms.items()}
        drawn_lines = tuple(
            Line(column, tuple(line["step"] for line in lines), tuple(smooth([line[name] for line in lines])))
            for column, lines in shown.items()
            if lines
        )
        yield Chart(f"Training: {name}", "steps", name, drawn_lines, logarithmic=(False, name != CRITIC))


def smooth(values: Sequence[float]) -> list[float]:
    """Running means over a fiftieth of the values."""
    width = max(len(values) // 50, 1)
    total = np.cumsum([0.0, *values])
    ends = np.arange(1, len(values) + 1)
    begins = np.maximum(ends - width, 0)
    means: list[float] = ((total[ends] - total[begins]) / (ends - begins)).tolist()
    return means


def read_terms(path: Path) -> Terms:
    """Lines that a training wrote; none where there is no such file.

    Raises:
        SourceError: it is broken.
    """
    if not path.exists():
        return []
    try:
        return [dict(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: expected terms of a training, got none ({error}); train it again") from error


def _end(lines: Terms) -> dict[str, float]:
    last = lines[-max(round(FINAL * len(lines)), 1) :]
    names = dict.fromkeys(name for line in last for name in line if name not in ("step", CRITIC))
    return {name: float(np.mean([line[name] for line in last if name in line])) for name in names}
