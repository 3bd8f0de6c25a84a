"""The `ffmpeg` program, for the one protocol that PyAV's libraries lack: SRT."""

from __future__ import annotations

import shutil
import subprocess

_SECONDS = 10.0


def program_with(protocol: str) -> str | None:
    """Path of an installed `ffmpeg` that speaks a protocol in both directions; None where there is none."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    asked = [program, "-hide_banner", "-protocols"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    inputs, _, outputs = answer.stdout.partition("Output:")
    return program if protocol in inputs.split() and protocol in outputs.split() else None
