from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import emit, samples
from mien.capture import image
from mien.capture.synthetic import tone_of
from mien.emit.sink import SinkSettings
from mien.frame import Frame
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare, sized
from mien.sound.sound import Sound, SoundFormat
from mien_kernels import ops

Pixels = NDArray[np.uint8]

RATE = Fraction(20)
ROLL = 9.0
"""Degrees to each side."""
FRAMES = 44
SOUND = SoundFormat(rate=24_000, channels=1)


@pytest.fixture(scope="session")
def pictures() -> list[Path]:
    return list(samples.portraits().values())


@pytest.fixture(scope="session")
def people() -> dict[str, Portrait]:
    """The sample portraits at 256 pixels."""
    return {name: prepare(path, size=256)[0] for name, path in samples.portraits().items()}


@pytest.fixture(scope="session")
def portrait(pictures: list[Path]) -> Portrait:
    return prepare(pictures[1], size=192)[0]


@pytest.fixture(scope="session")
def swaying(pictures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip, with sound, of a sample that leans its head by a known roll, and the picture with it."""
    pixels = sized(image.read(pictures[0]), 256, 256)
    path = tmp_path_factory.mktemp("drivers") / "swaying.mp4"
    height, width = pixels.shape[:2]
    with emit.open(str(path), SinkSettings(width, height, RATE, 1 / RATE, SOUND), mark=False) as sink:
        for number in range(FRAMES):
            roll = ROLL * float(np.sin(number * 2 * np.pi / 22))
            sink.write(Frame(_rolled(pixels, roll), number, 1 / RATE))
        samples_of_it = tone_of(SOUND)(0, int(FRAMES / RATE * SOUND.rate))
        sink.write_sound(Sound(samples_of_it, 0, Fraction(1, SOUND.rate), SOUND))
    return path


def _rolled(pixels: Pixels, roll: float) -> Pixels:
    height, width = pixels.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = np.radians(roll)
    x, y = xs - width / 2, ys - height / 2
    flow = np.stack([np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x], axis=-1)
    return ops.flow_warp(pixels, np.ascontiguousarray(flow + [width / 2, height / 2], np.float32))
