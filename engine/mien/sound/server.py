"""PulseAudio, or PipeWire in its place, through the commands that both come with: `pactl` and `pacat`."""

from __future__ import annotations

import shutil
import subprocess

from mien.errors import BackendError
from mien.sound.sound import SoundFormat

_PATIENCE = 5.0
"""Seconds until a server that does not answer counts as none."""


def need_server(wanted: str) -> None:
    """Refuse where there is no sound server.

    Args:
        wanted: what it is for, to begin the message with.

    Raises:
        BackendError: in one line, what is missing.
    """
    for command in ("pactl", "pacat"):
        if shutil.which(command) is None:
            raise BackendError(
                f"{wanted}: expected PipeWire or PulseAudio with its command {command!r}, got none; "
                "install pulseaudio-utils, or leave the sound out with --sound none"
            )
    ask(wanted, "info")


def ask(wanted: str, *arguments: str) -> str:
    """What `pactl` answers.

    Raises:
        BackendError: the server refuses, or there is none.
    """
    try:
        done = subprocess.run(["pactl", *arguments], capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackendError(f"{wanted}: expected an answer of the sound server, got none ({error})") from error
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise BackendError(f"{wanted}: expected PipeWire or PulseAudio to be running, got: {said}")
    return done.stdout.strip()


def stream_command(way: str, format: SoundFormat, milliseconds: int, device: str | None = None) -> list[str]:
    """`pacat` for a raw stream of float samples, `way` "playback" or "record", that holds `milliseconds` back."""
    return [
        "pacat",
        f"--{way}",
        "--raw",
        "--format=float32le",
        f"--rate={format.rate}",
        f"--channels={format.channels}",
        f"--latency-msec={milliseconds}",
        "--client-name=mien",
        *([] if device is None else [f"--device={device}"]),
    ]
