"""Drivers filmed by hand: `python -m mien_bench.fidelity.shaken CLIP ... --output FOLDER`.

A clip is shown smaller and then moved as a whole: it shakes, drifts by up to one face width, zooms from 0.7 to 1.4 and
rolls by 25 degrees to each side. What the head does in it stays as it was. The same seed gives the same path. What lies
beyond the clip's frame repeats its border, so that no second face appears.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

import mien
from mien import emit
from mien.commands.options import Options, count, positive
from mien.emit.sink import SinkSettings
from mien.errors import FaceError
from mien.frame import Frame
from mien.parse.parser import Parser
from mien.plane import Affine
from mien_bench.material import clips_of

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

DRIFT: Final = 1.0
"""Face widths from the clip's own place, at most."""
ZOOM: Final = (0.7, 1.4)
ROLL: Final = 25.0
"""Degrees to each side."""
SHAKE, SHAKE_ROLL = 0.03, 1.0
"""Face widths and degrees, at most."""
SLOW, FAST = (0.12, 0.35), (2.0, 6.0)
"""Hz: from, to."""
WAVES: Final = 4
"""Sine waves that each path is made of."""
FACE: Final = 0.22
"""Width of the face before zoom, relative to the shorter side of the frame: it stays in view wherever it drifts."""
SECONDS: Final = 6.0
TEMPLES: Final = (127, 356)
NOSE: Final = 4
LOOKS: Final = 12
"""Frames from which place and size of the face are taken."""


@dataclass(frozen=True, slots=True, eq=False)
class CameraPath:
    """The path of a camera, frame by frame."""

    drift: Array
    """(N, 2): face widths."""
    zoom: Array
    """(N,)."""
    roll: Array
    """(N,): degrees, positive is clockwise in the picture."""


def camera_path(seconds: Array, seed: int) -> CameraPath:
    """The path at times (N,); drift, zoom and roll reach their bounds within them.

    Raises:
        ValueError: fewer than two times.
    """
    if len(seconds) < 2:
        raise ValueError(f"a path needs at least 2 frames, got {len(seconds)}")
    random = np.random.default_rng(seed)
    across, down, zoom, roll = (_curve(seconds, SLOW, random) for _ in range(4))
    shake_x, shake_y, shake_roll = (_curve(seconds, FAST, random) for _ in range(3))
    drift = np.stack([across, down], axis=1)
    drift *= DRIFT / np.linalg.norm(drift, axis=1).max()
    low, high = np.log(ZOOM)
    return CameraPath(
        drift + SHAKE * np.stack([shake_x, shake_y], axis=1),
        np.exp((low + high) / 2 + zoom * (high - low) / 2),
        ROLL * roll + SHAKE_ROLL * shake_roll,
    )


def _curve(seconds: Array, band: tuple[float, float], random: np.random.Generator) -> Array:
    """(N,): a sum of sine waves of random frequencies and phases, spread over -1..1."""
    rates, phases = random.uniform(*band, WAVES), random.uniform(0, 2 * np.pi, WAVES)
    sums = np.sin(2 * np.pi * rates * seconds[:, None] + phases).sum(axis=1)
    low, high = sums.min(), sums.max()
    return np.asarray(2 * (sums - low) / max(high - low, 1e-9) - 1)


def camera_matrix(middle: Array, width: float, size: tuple[int, int], path: CameraPath, number: int) -> Affine:
    """(2, 3): from the clip's pixels to the shaken frame's, both of `size` (width, height).

    Args:
        middle, width: (2,) and in pixels of the clip: the face's.
    """
    base = FACE * min(size) / width
    scale, turn = base * path.zoom[number], np.radians(path.roll[number])
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    linear = np.array([[cos, -sin], [sin, cos]])
    goal = np.array(size) / 2 + path.drift[number] * base * width
    return np.column_stack([linear, goal - linear @ middle])


def shaken_frames(clip: Path, seed: int, seconds: float = SECONDS) -> Iterator[Pixels]:
    """The first `seconds` of a clip as the camera of `seed` sees them: (H, W, 3), of the clip's size, even.

    Raises:
        SourceError: the clip cannot be read.
        FaceError: it shows no face.
    """
    frames = [np.ascontiguousarray(frame.pixels[..., :3]) for frame in _frames(clip, seconds)]
    times = np.array([frame.seconds for frame in _frames(clip, seconds)])
    middle, width = _face(clip, frames)
    path = camera_path(times - times[0], seed)
    height, across = (side - side % 2 for side in frames[0].shape[:2])
    for number, pixels in enumerate(frames):
        matrix = camera_matrix(middle, width, (across, height), path, number)
        yield _moved(pixels, matrix, (across, height))


def _moved(pixels: Pixels, matrix: Affine, size: tuple[int, int]) -> Pixels:
    """`pixels` seen through `matrix`; averaged first where it shrinks them, so that nothing is sampled with gaps."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 1:
        pixels = cv2.GaussianBlur(pixels, (0, 0), 0.5 * np.sqrt(1 / scale**2 - 1) + 1e-3)
    return np.asarray(cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _frames(clip: Path, seconds: float) -> Iterator[Frame]:
    with mien.capture.open(clip, duration=seconds) as source:
        yield from (item for item in source if isinstance(item, Frame))


def _face(clip: Path, frames: list[Pixels]) -> tuple[Array, float]:
    """Middle (2,) and width of the face in pixels: medians over some frames."""
    places, widths = [], []
    with Parser(hints=False) as parser:
        for number in np.linspace(0, len(frames) - 1, min(LOOKS, len(frames))).astype(int):
            face = parser(Frame(frames[number], int(number), Fraction(1, 25)))
            if face is not None:
                places.append(face.landmarks[NOSE, :2])
                widths.append(np.linalg.norm(np.subtract(*face.landmarks[list(TEMPLES), :2])))
    if not places:
        raise FaceError(f"{clip}: expected a face, got none; take another clip")
    return np.median(places, axis=0), float(np.median(widths))


def write_shaken(clip: Path, target: Path, seed: int, seconds: float = SECONDS) -> None:
    """Write the shaken clip as a video file without sound.

    Raises:
        MienError: the clip cannot be read or shows no face, or the file cannot be written.
    """
    with mien.capture.open(clip) as source:
        rate = source.info.rate
    frames = shaken_frames(clip, seed, seconds)
    first = next(frames)
    settings = SinkSettings(first.shape[1], first.shape[0], rate, 1 / rate)
    with emit.open(str(target), settings, mark=False) as sink:
        sink.write(Frame(first, 0, 1 / rate))
        for number, pixels in enumerate(frames, 1):
            sink.write(Frame(pixels, number, 1 / rate))


def main(arguments: list[str]) -> int:
    """Write a shaken version of each clip into a folder."""
    parser = Options(prog="python -m mien_bench.fidelity.shaken", description="Make drivers filmed by hand.")
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP", help="(the sample, and those of $MIEN_DATA)")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--seed", type=count, default=1, metavar="N", help="of the first clip; the next takes N + 1 (1)"
    )
    parser.add_argument("--seconds", type=positive, default=SECONDS, metavar="S", help=f"({SECONDS:g})")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    for number, clip in enumerate(clips_of(options.clips)):
        target = options.output / f"{clip.stem}_shaken.mp4"
        write_shaken(clip, target, options.seed + number, options.seconds)
        print(target, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
