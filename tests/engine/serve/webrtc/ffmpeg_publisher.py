"""FFmpeg's WHIP muxer with numbered pictures and a tone, in a process of its own:

python ffmpeg_publisher.py URL SECONDS [OPTION=VALUE ...]
"""

from __future__ import annotations

import sys
import time
from fractions import Fraction

import av
import numpy as np
from tests.engine.serve.webrtc.client import numbered

FPS = 25
RUN = 960


def publish(url: str, seconds: float, options: dict[str, str]) -> int:
    """Pictures that were sent."""
    container = av.open(url, "w", format="whip", options=options)
    video = container.add_stream("libx264", rate=FPS)
    video.width, video.height, video.pix_fmt = 640, 480, "yuv420p"
    video.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": "50"}
    audio = container.add_stream("libopus", rate=48_000)
    audio.layout = "stereo"
    begun, number, sound = time.monotonic(), 0, 0
    while number < seconds * FPS:
        frame = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        container.mux(video.encode(frame))
        number += 1
        while sound * RUN * FPS < number * 48_000:
            wave = np.sin(2 * np.pi * 440 * (sound * RUN + np.arange(RUN)) / 48_000).astype(np.float32) * 0.3
            run = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], format="flt", layout="stereo")
            run.sample_rate, run.pts, run.time_base = 48_000, sound * RUN, Fraction(1, 48_000)
            container.mux(audio.encode(run))
            sound += 1
        time.sleep(max(begun + number / FPS - time.monotonic(), 0.0))
    container.close()
    return number


if __name__ == "__main__":
    url, seconds, *pairs = sys.argv[1:]
    sys.stdout.write(str(publish(url, float(seconds), dict(pair.split("=", 1) for pair in pairs))))
