"""The driver clip: one of the portraits of nobody plays a composed performance and speaks."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from mien.parse.find import find_faces, refine
from mien.parse.models import FaceMesh
from mien_export.samples.album import Picture
from mien_export.samples.composer import Performance, compose
from mien_export.samples.puppet import Puppet, perform, take_apart
from mien_export.samples.voice import RATE, Samples, speak

SECONDS: Final = 8.0
SEED: Final = 11
ACTOR: Final = "teo"


def driver_performance() -> Performance:
    """What the packaged clip shows, frame by frame."""
    return compose(SECONDS, 25.0, SEED)


def open_puppet(path: Path) -> Puppet:
    """The portrait at `path` as a puppet."""
    pixels: NDArray[np.uint8] = np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[:, :, ::-1])
    with FaceMesh(still=True) as mesh:
        landmarks = refine(pixels, find_faces(pixels, mesh)[0], mesh)
    return take_apart((pixels / np.float32(255)).astype(np.float32), landmarks)


def make_clip(portrait: Path, out: Path) -> None:
    """Write the driver clip, acted by `portrait`."""
    performance, puppet = driver_performance(), open_puppet(portrait)
    frames = (perform(puppet, deed)[0] for deed in performance.deeds)
    write_clip(out, frames, speak(performance, SEED), Fraction(performance.rate), puppet.matte.shape[0])


def write_clip(out: Path, frames: Iterable[Picture], sound: Samples, rate: Fraction, side: int) -> None:
    """Write H.264 and AAC in an mp4 that starts fast."""
    with av.open(str(out), "w", options={"movflags": "+faststart"}) as container:
        container.metadata["comment"] = "Synthetic: nobody's face, a composed performance, a synthesised voice."
        video = container.add_stream("libx264", rate=rate, options={"crf": "19", "preset": "slow"})
        video.width, video.height, video.pix_fmt = side, side, "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        audio.bit_rate = 80_000
        for picture in frames:
            pixels = np.ascontiguousarray((picture * 255 + 0.5).astype(np.uint8))
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(video.encode(None))
        for start in range(0, len(sound), 1024):
            block = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], format="fltp", layout="mono")
            block.sample_rate, block.pts, block.time_base = RATE, start, Fraction(1, RATE)
            container.mux(audio.encode(block))
        container.mux(audio.encode(None))
