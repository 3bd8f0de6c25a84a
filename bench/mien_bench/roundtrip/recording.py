"""The time line of a video file: when each frame is shown and how loud it is when, read without mien's own reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEP = 0.005
"""Seconds of one value of a loudness curve."""
FARTHEST = 0.5
"""Seconds that two sound tracks are shifted against each other at most."""
_SILENT = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """The time line of a video file, from its first frame on."""

    times: Array
    """(N,): seconds at which the frames are shown."""
    rate: float
    """Frames a second, on average."""
    duration: float
    """Seconds from the first frame to the end of the last."""
    loudness: Array | None
    """(M,): mean magnitude of each `STEP` of the sound, from the first frame on; None without sound."""


def read_recording(path: Path) -> Recording:
    """The time line of a file, from its packets, and the loudness of its decoded sound."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        packets = [packet for packet in container.demux(video) if packet.size and packet.pts is not None]
        base = float(video.time_base or 1)
        stamps = np.sort([float(packet.pts or 0) for packet in packets]) * base
        last = max(packets, key=lambda packet: packet.pts or 0)
        rate = float(video.average_rate or 0)
    begin = float(stamps[0])
    end = float(stamps[-1]) + float(last.duration or 0) * base
    return Recording(stamps - begin, rate, end - begin, _loudness(path, begin))


def sound_offset(one: Recording, other: Recording) -> float | None:
    """Seconds by which the sound of `other` comes later than that of `one`; None where there is none to compare."""
    if one.loudness is None or other.loudness is None:
        return None
    length = min(len(one.loudness), len(other.loudness))
    a, b = one.loudness[:length], other.loudness[:length]
    reach = round(FARTHEST / STEP)
    if length < 3 * reach or a.std() < _SILENT or b.std() < _SILENT:
        return None
    scores = [_alike(a[reach:-reach], b[reach + lag : length - reach + lag]) for lag in range(-reach, reach + 1)]
    return (_peak(np.array(scores)) - reach) * STEP


def _loudness(path: Path, begin: float) -> Array | None:
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        sums: Array = np.zeros(0)
        counts: Array = np.zeros(0)
        for frame in container.decode(audio=0):
            steps, values = _placed(frame, begin)
            size = max(len(sums), int(steps.max(initial=-1)) + 1)
            sums = _added(sums, np.bincount(steps, values, size))
            counts = _added(counts, np.bincount(steps, minlength=size))
    return np.asarray(sums / np.maximum(counts, 1))


def _placed(frame: Any, begin: float) -> tuple[NDArray[np.int64], Array]:
    """Which `STEP` each sample of a decoded frame falls into, and its magnitude, from time 0 on."""
    samples = frame.to_ndarray().astype(np.float64)
    if frame.format.is_planar:
        values = np.abs(samples).mean(axis=0)
    else:
        values = np.abs(samples.reshape(-1, frame.layout.nb_channels)).mean(axis=1)
    if np.issubdtype(frame.to_ndarray().dtype, np.integer):
        values /= float(np.iinfo(frame.to_ndarray().dtype).max)
    times = float(frame.time or 0) - begin + np.arange(len(values)) / frame.sample_rate
    return np.floor(times[times >= 0] / STEP).astype(np.int64), values[times >= 0]


def _added(total: Array, more: NDArray[Any]) -> Array:
    out = np.zeros(max(len(total), len(more)))
    out[: len(total)] += total
    out[: len(more)] += more
    return out


def _alike(a: Array, b: Array) -> float:
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0


def _peak(scores: Array) -> float:
    """Sub-sample position of the highest score, by a parabola."""
    top = int(scores.argmax())
    if not 0 < top < len(scores) - 1:
        return float(top)
    before, at, after = scores[top - 1 : top + 2]
    bend = before - 2 * at + after
    return top + float(0.5 * (before - after) / bend) if bend < 0 else float(top)
