"""`mien bench landmarks`: how near the landmarks of our runtimes are to MediaPipe's, how still, and what they cost."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

import mien
from mien.capture.image import resized
from mien.commands.options import count, not_negative
from mien.config import LANDMARKS, Landmarks
from mien.errors import FaceError
from mien.frame import Frame
from mien.parse.landmarker import Landmarker, open_landmarker
from mien_bench.control import Control
from mien_bench.material import clips_of
from mien_bench.results import Check, Fact, Result, Row
from mien_bench.roundtrip.track_measures import jitter

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
NEAR: Final = 0.2
"""Pixels: the distance allowed, at the 99th percentile."""
SHARE: Final = 0.5
"""Of MediaPipe's processor time that is allowed."""
SETTLED: Final = 10
"""Frames after which the one that began later is compared."""
GONE: Final = 5
"""Frames without a face, after which it is to be found again."""
PERCENTILES: Final = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Compared:
    """Both kinds on the frames of one clip."""

    distances: Array
    """(frames, 478): in the picture, in pixels."""
    floor: Array
    """(frames, 478): of MediaPipe beside itself, begun one frame later. Each frame is searched where the landmarks of
    the one before were, so that rounding does not die away."""
    missed: int
    """Frames in which one found a face and the other none."""
    jitter: Mapping[Landmarks, float]
    """By kind: of a noisy still, root mean square about each landmark's place, mean over them, in pixels at 512."""
    again: Mapping[Landmarks, int]
    """By kind: frames from the face's return to its landmarks; 0 is in the first."""
    milliseconds: Mapping[Landmarks, list[float]] = field(default_factory=dict)
    """By kind: processor time of each frame."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--clips", nargs="+", type=Path, metavar="PATH", help="videos or folders of them")
    parser.add_argument("--frames", type=count, default=150, metavar="N", help="of each clip (150)")
    parser.add_argument("--stills", type=count, default=40, metavar="N", help="noisy frames of a still (40)")
    parser.add_argument(
        "--noise", type=not_negative, default=4.0, metavar="SIGMA", help="of the sensor, in grey levels (4)"
    )


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`. Both kinds see each frame in turns, in one thread's time."""
    found: dict[str, Compared] = {}
    for clip in clips_of(options.clips):
        control()
        pictures = list(islice(frames_of(clip), options.frames))
        found[clip.stem] = compare(pictures, options.stills, options.noise)
        near = np.percentile(found[clip.stem].distances, PERCENTILES)
        print(f"{clip.stem}: {' '.join(f'{value:.3f}' for value in near)} px", flush=True)
    control()
    return _result(found, {"size": f"{WIDTH}x{HEIGHT}", "frames": options.frames, "noise": options.noise})


def compare(pictures: list[Pixels], stills: int, noise: float, seed: int = 0) -> Compared:
    """Compare both kinds.

    Args:
        pictures: frames of a clip, (H, W, 3) each.
        stills: copies of the first one, each with noise of its own.
        noise: its standard deviation, in grey levels.

    Raises:
        FaceError: MediaPipe finds no face in them.
    """
    with ExitStack() as stack:
        kinds: dict[Landmarks, Landmarker] = {
            kind: stack.enter_context(open_landmarker(kind, still=False)) for kind in LANDMARKS
        }
        distances, missed, times = _tracked(kinds, pictures)
        floor = _floor(kinds["mediapipe"], stack.enter_context(open_landmarker("mediapipe", still=False)), pictures)
        if not distances or not floor:
            raise FaceError("expected a face in the clip, got none; take another")
        still = _noisy(pictures[0], stills, noise, seed)
        steadiness = {kind: jitter(_track(mesh, still), WIDTH).mean for kind, mesh in kinds.items()}
        again = {kind: _until_again(mesh, pictures[0]) for kind, mesh in kinds.items()}
    return Compared(np.array(distances), np.array(floor), missed, steadiness, again, times)


def _tracked(
    kinds: Mapping[Landmarks, Landmarker], pictures: list[Pixels], clock: Callable[[], float] = time.process_time
) -> tuple[list[Array], int, dict[Landmarks, list[float]]]:
    distances, missed = [], 0
    times: dict[Landmarks, list[float]] = {kind: [] for kind in kinds}
    for picture in pictures:
        faces: dict[Landmarks, list[Array]] = {}
        for kind, mesh in kinds.items():
            begin = clock()
            faces[kind] = mesh(picture)
            times[kind].append((clock() - begin) * 1e3)
        if all(faces.values()):
            distances.append(_apart(faces["onnx"][0], faces["mediapipe"][0]))
        elif any(faces.values()):
            missed += 1
    return distances, missed, times


def _floor(first: Landmarker, later: Landmarker, pictures: list[Pixels]) -> list[Array]:
    first.forget()
    found = []
    for number, picture in enumerate(pictures):
        faces = first(picture), later(picture) if number else []
        if number >= min(SETTLED, len(pictures) - 1) and all(faces):
            found.append(_apart(faces[0][0], faces[1][0]))
    return found


def _apart(a: Array, b: Array) -> Array:
    return np.asarray(np.hypot(*(a - b)[:, :2].T))


def frames_of(clip: Path) -> Iterator[Pixels]:
    """The frames of a clip, scaled to fit 640 x 480 and padded with black."""
    with mien.capture.open(clip) as source:
        for item in source:
            if isinstance(item, Frame):
                yield _fitted(item.pixels[..., :3])


def _fitted(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    share = min(WIDTH / width, HEIGHT / height)
    small = resized(np.ascontiguousarray(pixels), round(width * share), round(height * share))
    out = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    y, x = (HEIGHT - small.shape[0]) // 2, (WIDTH - small.shape[1]) // 2
    out[y : y + small.shape[0], x : x + small.shape[1]] = small
    return out


def _noisy(picture: Pixels, number: int, noise: float, seed: int) -> list[Pixels]:
    random = np.random.default_rng(seed)
    plain = picture.astype(np.float32)
    noisy = (plain + noise * random.standard_normal(plain.shape, np.float32) for _ in range(number))
    return [np.clip(np.rint(one), 0, 255).astype(np.uint8) for one in noisy]


def _track(mesh: Landmarker, pictures: list[Pixels]) -> Array:
    mesh.forget()
    found = [mesh(picture) for picture in pictures]
    return np.array([faces[0] for faces in found if faces])


def _until_again(mesh: Landmarker, picture: Pixels, most: int = 10) -> int:
    """Frames that the face is back without being found; `most` where it is not found again."""
    for one in (picture, *[np.zeros_like(picture)] * GONE):
        mesh(one)
    return next((number for number in range(most) if mesh(picture)), most)


def _result(found: Mapping[str, Compared], condition: dict[str, Fact]) -> Result:
    near = {p: tuple(float(np.percentile(one.distances, p)) for one in found.values()) for p in PERCENTILES}
    rows = [Row(f"distance p{p}", "px", values, "lower", condition, each="clip") for p, values in near.items()]
    for p in PERCENTILES:
        values = tuple(float(np.percentile(one.floor, p)) for one in found.values())
        note = "MediaPipe beside itself, begun one frame later"
        rows.append(Row(f"floor of the distance p{p}", "px", values, "neither", condition, each="clip", note=note))
    steady: dict[str, tuple[float, ...]] = {}
    cost: dict[str, tuple[float, ...]] = {}
    for kind in LANDMARKS:
        of = {**condition, "landmarks": kind}
        steady[kind] = tuple(one.jitter[kind] for one in found.values())
        cost[kind] = tuple(float(np.median(one.milliseconds[kind])) for one in found.values())
        rows.append(Row("jitter of a still", "px at 512", steady[kind], "lower", of, each="clip"))
        rows.append(Row("processor time of a frame", "ms", cost[kind], "lower", of, each="clip"))
        again = tuple(float(one.again[kind]) for one in found.values())
        rows.append(Row("frames until found again", "", again, "lower", of, each="clip"))
    rows.append(Row("missed by one", "frames", tuple(float(one.missed) for one in found.values()), "lower", condition,
                    each="clip"))  # fmt: skip
    about = f"landmarks by our runtimes beside MediaPipe's, at {WIDTH} x {HEIGHT}"
    return Result("landmarks", about, tuple(rows), tuple(_checks(found, steady, cost)))


def _checks(
    found: Mapping[str, Compared], steady: Mapping[str, tuple[float, ...]], cost: Mapping[str, tuple[float, ...]]
) -> Iterator[Check]:
    last = float(np.percentile(np.concatenate([one.distances for one in found.values()]), PERCENTILES[-1]))
    yield Check("near to MediaPipe", f"p99 <= {NEAR} px over all clips", f"{last:.3f} px", last <= NEAR)
    ours, theirs = (float(np.mean(steady[kind])) for kind in ("onnx", "mediapipe"))
    yield Check("as still", f"<= {theirs:.3f} px at 512, mean of the clips", f"{ours:.3f} px", ours <= theirs)
    late = sum(one.again["onnx"] > one.again["mediapipe"] for one in found.values())
    yield Check("found again as soon", "in all clips", f"later in {late}", late == 0)
    share = float(np.mean(cost["onnx"]) / np.mean(cost["mediapipe"]))
    yield Check("cost", f"<= {SHARE:g} of MediaPipe's processor time", f"{share:.2f}", share <= SHARE)
