"""The sample driver clip: a sample portrait plays a composed performance and speaks."""

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
from mien_export.samples.composer import Performance, Phone, compose
from mien_export.samples.puppet import Puppet, perform, take_apart

Array = NDArray[np.float64]
Samples = NDArray[np.float32]

RATE: Final = 48_000
FORMANTS: Final[dict[str, tuple[float, float, float]]] = {
    "AA": (730, 1180, 2500),
    "EH": (560, 1780, 2520),
    "EE": (300, 2250, 3000),
    "OH": (500, 880, 2450),
    "OO": (320, 820, 2300),
    "M": (260, 1100, 2150),
    "F": (420, 1300, 2400),
    "S": (350, 1500, 2600),
    "L": (380, 1180, 2700),
}
"""Resonances in Hz."""
VOICED: Final = {"M": 0.32, "L": 0.55, "F": 0.04, "S": 0.02}
"""Loudness of the voice in what is not a vowel."""
HISS: Final[dict[str, tuple[float, float, float]]] = {"S": (4500, 9000, 0.10), "F": (1500, 8000, 0.045)}
"""Band in Hz and loudness of noise."""
WIDTHS: Final = (90.0, 130.0, 190.0)
LOUDNESS: Final = (1.0, 0.55, 0.25)


def speak(performance: Performance, seed: int = 0) -> Samples:
    """Samples (n,) in -1..1 at `RATE`, as long as the performance."""
    seconds = len(performance.deeds) / performance.rate
    times = np.arange(round(seconds * RATE)) / RATE
    rng = np.random.default_rng(seed)
    voice = _voice(performance.phones, times, rng) + _hiss(performance.phones, times, rng)
    return np.asarray((0.5 * voice / max(np.abs(voice).max(), 1e-9)).astype(np.float32))


def _hump(times: Array, phone: Phone, attack: float = 0.025) -> Array:
    rise = np.clip((times - phone.start + attack) / (2 * attack), 0, 1)
    fall = np.clip((phone.start + phone.duration + attack - times) / (2 * attack), 0, 1)
    return np.asarray(np.sin(rise * np.pi / 2) ** 2 * np.sin(fall * np.pi / 2) ** 2)


def _tracks(phones: tuple[Phone, ...], times: Array) -> tuple[Array, Array]:
    """Loudness (n,) and formants (n, 3) over time."""
    loud, shares = np.zeros(len(times)), np.full(len(times), 1e-3)
    formants = 1e-3 * np.tile(np.array(FORMANTS["EH"]), (len(times), 1))
    for phone in phones:
        hump = _hump(times, phone)
        loud = np.maximum(loud, hump * phone.strength * VOICED.get(phone.viseme, 1.0))
        shares += hump
        formants += hump[:, None] * np.array(FORMANTS[phone.viseme])
    return loud, formants / shares[:, None]


def _voice(phones: tuple[Phone, ...], times: Array, rng: np.random.Generator) -> Array:
    loud, formants = _tracks(phones, times)
    pitch = (
        118 + 14 * np.sin(2 * np.pi * 0.37 * times + 1.0) + 7 * np.sin(2 * np.pi * 1.3 * times) - 10 * times / times[-1]
    )
    pitch *= 1 + 0.006 * np.sin(2 * np.pi * 5.1 * times)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    out = np.zeros(len(times))
    for harmonic in range(1, 40):
        frequency = harmonic * pitch
        shape = sum(a / (1 + ((frequency - f) / w) ** 2) for a, f, w in zip(LOUDNESS, formants.T, WIDTHS, strict=True))
        out += shape / harmonic**0.7 * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    return out * loud


def _hiss(phones: tuple[Phone, ...], times: Array, rng: np.random.Generator) -> Array:
    spectrum = np.fft.rfft(rng.normal(size=len(times)))
    frequencies = np.fft.rfftfreq(len(times), 1 / RATE)
    out = np.zeros(len(times))
    for viseme, (low, high, loudness) in HISS.items():
        band = np.fft.irfft(spectrum * ((frequencies > low) & (frequencies < high)), len(times))
        envelope = sum((_hump(times, phone) for phone in phones if phone.viseme == viseme), np.zeros(len(times)))
        out += loudness * 4 * envelope * band / band.std()
    return out


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
