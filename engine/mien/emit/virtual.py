"""Virtual camera sink: v4l2loopback on Linux, OBS on macOS and Windows."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from mien.emit.sink import SinkBase, SinkSettings
from mien.errors import SinkError
from mien.frame import Frame
from mien.sound.sound import Sound

VIRTUAL = "virtual"
_SYSFS = Path("/sys/class/video4linux")
_DRIVERS = {
    "linux": "load v4l2loopback (apt install v4l2loopback-dkms; modprobe v4l2loopback exclusive_caps=1)",
    "darwin": "install OBS Studio and start its virtual camera once",
    "win32": "install OBS Studio, which brings a virtual camera",
}


def is_virtual(name: str) -> bool:
    """Whether a name is one of a virtual camera: `virtual`, or `virtual:DEVICE`."""
    return name == VIRTUAL or name.startswith(f"{VIRTUAL}:")


class VirtualCameraSink(SinkBase):
    """Shows frames at once; sound and alpha are dropped."""

    def __init__(self, name: str, settings: SinkSettings) -> None:
        """Take the camera.

        Raises:
            SinkError: the package or the driver is missing, or another program shows something there.
        """
        self._name = name
        self._size = (settings.width, settings.height)
        package = _package(name)
        device = name.partition(":")[2] or None
        try:
            self._camera: Any = package.Camera(*self._size, float(settings.rate), device=device)
        except (RuntimeError, ValueError, OSError) as error:
            reason = " ".join(str(error).split())
            cure = _DRIVERS.get(sys.platform, "this system has no driver that is known")
            raise SinkError(f"{name}: expected a virtual camera, got none ({reason}); {cure}") from error

    @property
    def device(self) -> str:
        """What other programs find it by."""
        return str(self._camera.device)

    def write(self, frame: Frame) -> None:
        """Show a frame.

        Raises:
            SinkError: a frame of another size than the settings', or the driver refuses it.
        """
        if frame.size != self._size:
            raise SinkError(f"{self._name}: expected frames of {self._size} pixels, got {frame.size}")
        try:
            self._camera.send(np.ascontiguousarray(frame.pixels[:, :, :3]))
        except (RuntimeError, OSError) as error:
            raise SinkError(f"{self._name}: expected the camera to take a frame, got {error}; unload it?") from error

    def write_sound(self, sound: Sound) -> None:
        """Drop it."""

    def finish(self) -> None:
        self._camera.close()

    def discard(self) -> None:
        self._camera.close()


def virtual_cameras(sysfs: Path = _SYSFS) -> tuple[str, ...]:
    """The devices that can be virtual cameras here; only Linux lists them."""
    if not sysfs.is_dir():
        return ()
    loops = (entry for entry in sysfs.iterdir() if "virtual" in entry.resolve().parts)
    return tuple(f"/dev/{entry.name}" for entry in sorted(loops, key=lambda entry: (len(entry.name), entry.name)))


def _package(name: str) -> Any:
    try:
        return import_module("pyvirtualcam")
    except ImportError as error:
        raise SinkError(f"{name}: expected the package pyvirtualcam, got none; pip install 'mien[live]'") from error
