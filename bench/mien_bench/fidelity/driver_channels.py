"""How much of the skin's way landmarks see: dense optical flow of real drivers against the mesh, region by region.

Pairs of frames a short time apart are brought upon each other by the head's rigid landmarks. What is left is
expression: the flow of the skin's texture within a region, and the way of the mesh's landmarks there. The slope of the
latter on the former is the share that the mesh reads; 1 / slope is the factor that would restore the skin's way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.pose import RIGID, fit_similarity
from mien.plane import Affine, placed
from mien.sums import LUMA
from mien_bench.fidelity.drivers import Driver, frames_of
from mien_bench.fidelity.head_layer import dense_flow
from mien_bench.quality.regions import crop_of
from mien_bench.quality.summary import median_interval
from mien_bench.results import Fact, Row, Table

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

REGIONS: Final[dict[str, tuple[int, ...]]] = {
    "inner brows": (55, 107, 66, 65, 285, 336, 296, 295),
    "outer brows": (70, 63, 53, 46, 300, 293, 283, 276),
    "lower lids": (145, 153, 144, 374, 380, 373),
    "nose wings": (129, 98, 64, 48, 358, 327, 294, 278),
    "cheeks": (50, 205, 187, 147, 280, 425, 411, 376),
    "mouth corners": (61, 291),
    "upper lip": (0, 37, 267, 164),
    "chin": (152, 199, 175, 200),
}
"""Landmarks whose way is compared; both sides of the face together."""
SIDE: Final = 384
"""Pixels of the crop, whose outer eye corners are 117 apart."""
BEFORE: Final = (0.1, 0.2, 0.4)
"""Seconds between the frames of a pair."""
PAIRS: Final = 90
"""Of a driver, at most."""
RADIUS: Final = 5
"""Pixels around a landmark in which the flow's median is taken."""
ROUND_TRIP: Final = 0.7
"""Pixels by which flow there and back may differ: else it is not believed."""
MOST_TURN: Final = 4.0
"""Degrees of turn between the frames of a pair, at most: beyond, depth looks like expression."""
STILL: Final = 0.35
"""Pixels of movement below which a pair says nothing of a region."""
FEWEST: Final = 12
"""Pairs of a driver in which a region moves."""


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """A driver's pairs of frames."""

    driver: str
    flow: Array
    """(pairs, regions, 2): the skin's way in pixels of the crop, NaN where it cannot be seen."""
    mesh: Array
    """(pairs, regions, 2): that of the landmarks."""


def ways_of(driver: Driver, limit: int = PAIRS) -> Ways:
    """Compare pairs of frames of a driver.

    Raises:
        SourceError: it cannot be read.
    """
    pairs = _pairs(driver, limit)
    pictures = frames_of(driver.path, {number for pair in pairs for number in pair})
    flow, mesh = [], []
    for first, second in pairs:
        one, other = driver.landmarks[first], driver.landmarks[second]
        if one is not None and other is not None and first in pictures and second in pictures:
            seen, read = _compared((pictures[first], one), (pictures[second], other))
            flow.append(seen)
            mesh.append(read)
    shape = (-1, len(REGIONS), 2)
    return Ways(driver.name, np.array(flow).reshape(shape), np.array(mesh).reshape(shape))


def _pairs(driver: Driver, limit: int) -> list[tuple[int, int]]:
    """Numbers of frames with a face and nearly the same pose, spread over the driver."""
    times, found = np.array(driver.seconds), []
    for place, number in enumerate(driver.spread(limit)):
        other = int(np.searchsorted(times, times[number] + BEFORE[place % len(BEFORE)]))
        if other < len(times) and driver.landmarks[other] is not None:
            turn = np.abs(driver.channels[other, 2:5] - driver.channels[number, 2:5]).max()
            if turn < MOST_TURN:
                found.append((number, other))
    return found


def _compared(first: tuple[Pixels, Array], second: tuple[Pixels, Array]) -> tuple[Array, Array]:
    """(regions, 2) each: the skin's way from one picture with landmarks (478, 3) to another, and the landmarks'."""
    crop = crop_of(first[1], SIDE)
    back = fit_similarity(second[1][RIGID, :2], first[1][RIGID, :2])
    linear = back.scale * back.rotation
    onto = np.column_stack([crop[:, :2] @ linear, crop[:, :2] @ back.translation + crop[:, 2]])
    before, after = _grey(first[0], crop), _grey(second[0], onto)
    there, home = dense_flow(before, after), dense_flow(after, before)
    sure = _believed(there, home)
    own, moved = placed(first[1][:, :2], crop), placed(second[1][:, :2], onto)
    rigid = np.median((moved - own)[RIGID], axis=0)
    still = _around(there, sure, own[RIGID])
    seen = [_around(there, sure, own[list(points)]) - still for points in REGIONS.values()]
    read = [np.median((moved - own)[list(points)], axis=0) - rigid for points in REGIONS.values()]
    return np.array(seen), np.array(read)


def _grey(pixels: Pixels, matrix: Affine) -> Pixels:
    flat = cv2.transform(pixels, np.array([LUMA], np.float32))
    return np.asarray(
        cv2.warpAffine(flat, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def _believed(there: Floats, home: Floats) -> NDArray[np.bool_]:
    """(SIDE, SIDE): where the flow there and back returns to where it began."""
    ys, xs = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    back = cv2.remap(home, xs + there[..., 0], ys + there[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.linalg.norm(there + back, axis=2) < ROUND_TRIP)


def _around(flow: Floats, sure: NDArray[np.bool_], points: Array) -> Array:
    """(2,): median flow around points (N, 2); NaN where most of it is not believed."""
    ys, xs = np.mgrid[0:SIDE, 0:SIDE]
    near = np.zeros((SIDE, SIDE), bool)
    for x, y in points.tolist():
        near |= (xs - x) ** 2 + (ys - y) ** 2 <= RADIUS**2
    seen = near & sure
    if seen.sum() < 0.5 * max(near.sum(), 1):
        return np.full(2, np.nan)
    return np.asarray(np.median(flow[seen], axis=0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Share:
    """What the mesh reads of one region in one driver."""

    driver: str
    region: str
    slope: float
    correlation: float
    pairs: int


def shares(found: Sequence[Ways]) -> list[Share]:
    """Of each driver and region that moves often enough: along the region's main direction of movement."""
    out = []
    for ways in found:
        for place, region in enumerate(REGIONS):
            flow, mesh = ways.flow[:, place], ways.mesh[:, place]
            known = np.isfinite(flow).all(axis=1) & np.isfinite(mesh).all(axis=1)
            moves = known & (np.maximum(np.linalg.norm(flow, axis=1), np.linalg.norm(mesh, axis=1)) > STILL)
            if moves.sum() >= FEWEST:
                slope, correlation = share_of(flow[moves], mesh[moves])
                out.append(Share(ways.driver, region, slope, correlation, int(moves.sum())))
    return out


def share_of(flow: Array, mesh: Array) -> tuple[float, float]:
    """Slope through the origin of the mesh's way on the skin's, both (N, 2), along the skin's main direction, and
    their correlation. Noise in the flow lowers the slope."""
    _, _, directions = np.linalg.svd(flow, full_matrices=False)
    given, got = flow @ directions[0], mesh @ directions[0]
    slope = float(given @ got / (given @ given))
    spread = given.std() * got.std()
    correlation = float(np.mean((given - given.mean()) * (got - got.mean())) / spread) if spread > 1e-12 else 0.0
    return slope, correlation


def table(found: Sequence[Share]) -> Table:
    """A line for each region: medians over drivers."""
    lines = []
    for region in REGIONS:
        own = [one for one in found if one.region == region]
        slopes = median_interval([one.slope for one in own])
        correlations = median_interval([one.correlation for one in own])
        each = ", ".join(f"{one.driver} {one.slope:.2f}" for one in own)
        lines.append((region, slopes, correlations, str(len(own)), str(sum(one.pairs for one in own)), each))
    notes = (
        (
            "Slope of the mesh's way on the skin's (dense optical flow); pairs of frames 0.1 to 0.4 s apart, rigid "
            "points brought upon each other; medians over drivers with 95 % intervals. Noise in the flow lowers slopes."
        ),
    )
    columns = ("region", "slope", "r", "drivers", "pairs", "each")
    return Table("Driver channels: what landmarks see of the skin's way", columns, tuple(lines), notes=notes)


def rows(found: Sequence[Share]) -> Iterator[Row]:
    """Slope and correlation of each region, with a value of each driver."""
    for region in dict.fromkeys(one.region for one in found):
        own = [one for one in found if one.region == region]
        condition: dict[str, Fact] = {"on": "drivers", "of": region}
        slopes, correlations = tuple(one.slope for one in own), tuple(one.correlation for one in own)
        yield Row("landmarks on flow, slope", "", slopes, "neither", condition, each="driver")
        yield Row("landmarks on flow, r", "", correlations, "neither", condition, each="driver")
