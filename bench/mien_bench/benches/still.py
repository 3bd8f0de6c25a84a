"""`mien bench still`: how still a portrait is when its driver is, apart from camera and codec noise."""

from __future__ import annotations

import argparse
from fractions import Fraction
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray

import mien
from mien import emit
from mien.commands.options import count, not_negative, positive
from mien.config import ReenactSettings
from mien.emit.sink import SinkSettings
from mien.errors import FaceError, SourceError
from mien.frame import Frame
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien_bench.control import Control
from mien_bench.material import clips_of, portraits_of
from mien_bench.results import Check, Fact, Result, Row
from mien_bench.roundtrip.reenacted import Track, measure_output, perform, reenact
from mien_bench.roundtrip.track_measures import Jitter, jitter

Pixels = NDArray[np.uint8]

RATE: Final = Fraction(30)
MOST: Final = 0.3
"""Pixels at 512: the jitter allowed, as a mean over the landmarks."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--driver", nargs=1, type=Path, metavar="CLIP", help="default: the sample driver")
    parser.add_argument(
        "--at", type=not_negative, default=0.0, metavar="S", help="second of the driver that is shown (0)"
    )
    parser.add_argument("--portraits", nargs="+", type=Path, metavar="PATH", help="pictures or folders of them")
    parser.add_argument(
        "--seconds", type=positive, default=5.0, metavar="S", help="length; the first is not counted (5)"
    )
    parser.add_argument(
        "--noise", type=not_negative, default=4.0, metavar="SIGMA", help="of the sensor, in grey levels (4)"
    )
    parser.add_argument("--size", type=count, default=512, metavar="N", help="longer side of the output (512)")
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME", help="see `mien models`")
    parser.add_argument("--threads", type=count, metavar="N")


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`; nothing is timed."""
    clip, portraits = clips_of(options.driver)[0], portraits_of(options.portraits)
    settings = ReenactSettings(model=options.model, size=options.size, threads=options.threads)
    picture = frame_at(clip, options.at)
    found: dict[str, dict[str, Jitter]] = {}
    for path in portraits:
        (portrait,) = prepare(path, size=settings.size)
        found[path.stem] = measure_jitter(picture, portrait, settings, options.seconds, options.noise)
        print(f"{path.stem}: {found[path.stem]['output'].mean:.3f} px", flush=True)
    return _result(found, {"model": options.model, "size": options.size, "noise": options.noise})


def _result(found: dict[str, dict[str, Jitter]], condition: dict[str, Fact]) -> Result:
    """Rows over the portraits, and a check for each."""
    rows = [
        Row(
            f"jitter, {measure}",
            "px at 512",
            tuple(getattr(one[what], measure) for one in found.values()),
            "neither" if what in ("driver", "floor") else "lower",
            {**condition, "of": what},
            each="portrait",
            headline="jitter of a still portrait" if (what, measure) == ("output", "mean") else "",
        )
        for what in ("driver", "target", "output", "floor")
        for measure in ("mean", "median", "worst", "step")
    ]
    most = {name: max(one["target"].mean, one["output"].mean) for name, one in found.items()}
    checks = [Check(f"{name} is still", f"<= {MOST} px", f"{mean:.3f} px", mean <= MOST) for name, mean in most.items()]
    about = "how much portraits jitter when their driver is a noisy still"
    return Result("still", about, tuple(rows), tuple(checks))


def measure_jitter(
    picture: Pixels, portrait: Portrait, settings: ReenactSettings, seconds: float, noise: float, seed: int = 0
) -> dict[str, Jitter]:
    """The jitter of a still driver, of the target shapes, and of the landmarks in the output, after a second to settle.

    And the floor: of landmarks detected in a video of the portrait itself, which does not move at all.

    Args:
        picture: (H, W, 3), what the camera looks at.
        noise: standard deviation of the sensor's noise in grey levels.

    Raises:
        FaceError: there is no face to be found.
    """
    with TemporaryDirectory(prefix="mien-bench-") as folder:
        clip = Path(folder) / "still.mp4"
        write_still(clip, picture, round(seconds * RATE), noise, np.random.default_rng(seed))
        performance = perform(clip, portrait, settings)
        made = reenact(performance, portrait, settings)
        resting = Path(folder) / "resting.mp4"
        write_still(resting, portrait.pixels, len(performance.motions), 0.0, np.random.default_rng(seed))
        floor = measure_output(resting)
    driver = max(picture.shape[:2])
    own = max(portrait.size)
    return {
        "driver": _settled(performance.landmarks, driver),
        "target": _settled(made.target, own),
        "output": _settled(made.detected, own),
        "floor": _settled(floor, own),
    }


def write_still(path: Path, picture: Pixels, count: int, noise: float, random: np.random.Generator) -> None:
    """A video file of `count` frames of one picture, each with Gaussian noise of its own."""
    height, width = (side - side % 2 for side in picture.shape[:2])
    settings = SinkSettings(width, height, RATE, 1 / RATE)
    still = picture[:height, :width].astype(np.float32)
    with emit.open(str(path), settings, mark=False, quality=emit.VideoQuality(crf=23)) as sink:
        for number in range(count):
            noisy = still + noise * random.standard_normal(still.shape, np.float32)
            sink.write(Frame(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), number, 1 / RATE))


def frame_at(clip: Path, seconds: float) -> Pixels:
    """The frame (H, W, 3) that a clip shows at a time.

    Raises:
        SourceError: the clip is shorter, or cannot be read.
    """
    with mien.capture.open(clip, start=seconds) as source:
        for frame in islice((item for item in source if isinstance(item, Frame)), 1):
            return frame.pixels.copy()
    raise SourceError(f"{clip}: expected a frame at {seconds} s, got none; name an earlier time")


def _settled(track: Track, side: int) -> Jitter:
    seen = [one for one in track[round(RATE) :] if one is not None]
    if len(seen) < 2:
        raise FaceError(f"expected a face in the frames after the first second, got {len(seen)}; take another picture")
    return jitter(np.array(seen), side)
