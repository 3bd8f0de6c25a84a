"""A camera: V4L2 on Linux, AVFoundation on macOS, DirectShow on Windows."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import av
from av.container.input import InputContainer

from mien.capture.cameras import DRIVERS, Camera, camera_called, list_cameras, wanted
from mien.capture.pixels import describe
from mien.errors import SourceError

_TIMES = (10.0, 5.0)
"""Seconds until a camera opens, and without a picture after which it counts as lost."""
_DESCRIPTORS = Path("/proc/self/fd")
_MAC_RATE = 30
"""AVFoundation takes no picture without a rate."""


class CameraFeed:
    """A camera of this machine; unplugged, it is opened again as soon as it is there."""

    def __init__(
        self,
        name: str,
        *,
        cameras: Callable[[], Sequence[Camera]] = list_cameras,
        system: str = sys.platform,
    ) -> None:
        """Understand the name; whether there is such a camera shows when it is opened.

        Raises:
            SourceError: not the name of a camera, or a system without a driver.
        """
        if system not in DRIVERS:
            raise SourceError(f"{name}: expected Linux, macOS or Windows for a camera, got {system}; use a stream")
        self._name = name
        self._driver = DRIVERS[system]
        self._wanted = wanted(name)
        self._cameras = cameras

    @property
    def name(self) -> str:
        return self._name

    @property
    def lasting(self) -> bool:
        return True

    @property
    def patient(self) -> bool:
        return False

    def open(self) -> InputContainer:
        device = self._device()
        try:
            container = av.open(device, "r", format=self._driver, options=self._options(), timeout=_TIMES)
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"{self._name}: {_reason(error, self._wanted.size is not None)}") from error
        if self._driver == "v4l2":
            _unblock(device)
        return container

    def stop(self) -> None:
        """Nothing: reads do not wait for the camera."""

    def close(self) -> None:
        """Nothing is taken beside the container."""

    def _device(self) -> str:
        if self._wanted.camera.startswith("/"):
            return self._wanted.camera
        return camera_called(self._name, self._cameras()).device

    def _options(self) -> dict[str, str]:
        options = {}
        if self._wanted.size is not None:
            options["video_size"] = "{}x{}".format(*self._wanted.size)
        rate = self._wanted.rate or (_MAC_RATE if self._driver == "avfoundation" else None)
        if rate is not None:
            options["framerate"] = str(rate)
        return options


def _unblock(device: str) -> None:
    """Let reads of a device return at once where it has no picture: V4L2 knows neither timeout nor interrupt."""
    for entry in _DESCRIPTORS.iterdir():
        with contextlib.suppress(OSError):
            if os.readlink(entry) == os.path.realpath(device):
                os.set_blocking(int(entry.name), False)


def _reason(error: av.FFmpegError | OSError, sized: bool) -> str:
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return "expected a camera, got none there; plug it in, or see `mien doctor` for those that there are"
    if error.errno == errno.EBUSY:
        return "expected a camera that is free, got one that another program uses; close that program"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "expected to be allowed to use the camera, got no permission; on Linux join the group video"
    if error.errno == errno.EINVAL and sized:
        return "expected a size and rate that the camera has, got others; leave them out for its own"
    if error.errno == errno.ENOTTY:
        return "expected a camera, got something else; see `mien doctor` for those that there are"
    return f"expected a camera that works, got an error ({describe(error)}); unplug it and plug it in again"
