"""The cameras of this machine: V4L2 on Linux, AVFoundation on macOS, DirectShow on Windows."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.container.input import InputContainer

from mien.capture.pixels import describe
from mien.errors import SourceError

PREFIX = "camera:"
DRIVERS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
"""Names of libav's camera inputs by operating system."""
_SYSFS = Path("/sys/class/video4linux")
_WANTED = re.compile(r"camera:([^@]+?)(?:@(\d{1,6})x(\d{1,6}))?(?:@(\d{1,6}))?")
_DEVICE = re.compile(r"/dev/(?:video\d+|v4l/by-(?:id|path)/[^/]+)")
"""Device paths of the kernel and of udev; udev's are stable over reboots and USB ports."""
_DIGITS = 6
"""That numbers in names have at most."""
_VIDEO4LINUX = 81
"""Major number of its devices."""
_TIMES = (10.0, 5.0)
"""Seconds until a camera opens, and without a picture after which it counts as lost."""
_DESCRIPTORS = Path("/proc/self/fd")
_MAC_RATE = 30
"""AVFoundation takes no picture without a rate."""


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera, in the order in which `camera:0`, `camera:1` count."""

    device: str
    """What the driver calls it."""
    title: str
    """What its maker calls it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A camera request."""

    camera: str
    """Its number, or a device."""
    size: tuple[int, int] | None = None
    rate: int | None = None


def is_camera(name: str) -> bool:
    """Whether a name is a camera's, including udev names and links."""
    return name.startswith(PREFIX) or _is_device(name)


def wanted(name: str) -> Wanted:
    """What `camera:N`, `camera:DEVICE`, either with `@WxH` and `@RATE` behind, or a device's path asks for.

    Raises:
        SourceError: something else.
    """
    if not name.startswith(PREFIX) and _is_device(name):
        return Wanted(os.path.abspath(name))
    found = _WANTED.fullmatch(name)
    if found is None:
        raise SourceError(f"{name}: expected camera:0, camera:0@1280x720 or camera:0@1280x720@30")
    camera, width, height, rate = found.groups()
    return Wanted(camera, (int(width), int(height)) if width else None, int(rate) if rate else None)


def _is_device(name: str) -> bool:
    """Whether a path is a camera's; with a well-known name also if it is unplugged."""
    if _DEVICE.fullmatch(name):
        return True
    try:
        facts = os.stat(name)
    except (OSError, ValueError):
        return False
    return stat.S_ISCHR(facts.st_mode) and os.major(facts.st_rdev) == _VIDEO4LINUX


def list_cameras(system: str = sys.platform, sysfs: Path = _SYSFS) -> tuple[Camera, ...]:
    """The cameras that the system knows, whether they can be used or not."""
    if system == "linux":
        return tuple(_of_kernel(sysfs))
    return tuple(_of_driver(DRIVERS[system])) if system in DRIVERS else ()


def camera_called(name: str, cameras: Sequence[Camera]) -> Camera:
    """The camera that a user means.

    Raises:
        SourceError: there is none; the line lists those that there are.
    """
    camera = wanted(name).camera
    if camera.isdecimal() and len(camera) <= _DIGITS and int(camera) < len(cameras):
        return cameras[int(camera)]
    for known in cameras:
        if camera in (known.device, known.title):
            return known
    if cameras:
        there = ", ".join(f"camera:{number} ({known.title})" for number, known in enumerate(cameras))
        raise SourceError(f"{name}: expected a camera of this machine, got none of that name; there are {there}")
    raise SourceError(f"{name}: expected a camera, got none on this machine; plug one in, or name a file or a stream")


def _of_kernel(sysfs: Path) -> list[Camera]:
    """Linux: only the first device node of a camera delivers pictures, further ones deliver metadata."""
    if not sysfs.is_dir():
        return []
    found = []
    for entry in sorted(sysfs.iterdir(), key=lambda entry: (len(entry.name), entry.name)):
        title, index = _line(entry / "name"), _line(entry / "index")
        if entry.name.startswith("video") and index in ("", "0"):
            found.append(Camera(f"/dev/{entry.name}", title or entry.name))
    return found


def _line(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _of_driver(driver: str) -> list[Camera]:
    import av

    try:
        devices = av.enumerate_input_devices(driver)
    except (av.FFmpegError, OSError, ValueError):
        return []
    cameras = (device for device in devices if "video" in device.media_types)
    return [
        Camera(f"video={device.name}" if driver == "dshow" else device.name, device.description) for device in cameras
    ]


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

    @property
    def received(self) -> None:
        return None

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
    """Make reads of a device non-blocking, since V4L2 has neither time-out nor interrupt."""
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
