"""Screen capture of a region."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass

import av
from av.container.input import InputContainer

from mien.capture.pixels import describe
from mien.errors import SourceError
from mien.plane import Box

PREFIX = "screen:"
_REGION = re.compile(r"screen:(\d{1,6}),(\d{1,6}),(\d{1,6})x(\d{1,6})(?:@(\d{1,6}))?")
_SMALLEST = 16


@dataclass(frozen=True, slots=True)
class Region:
    """Part of the screen, and how often a second it is taken."""

    box: Box
    rate: int = 25


def region_of(name: str) -> Region:
    """The region that `screen:X,Y,WxH` or `screen:X,Y,WxH@RATE` names.

    Raises:
        SourceError: it names none.
    """
    found = _REGION.fullmatch(name)
    if found is None:
        raise SourceError(f"{name}: expected screen:X,Y,WxH or screen:X,Y,WxH@RATE, such as screen:0,0,640x480")
    x, y, width, height, rate = (int(part) if part else 25 for part in found.groups())
    if min(width, height) < _SMALLEST or not 1 <= rate <= 120:
        raise SourceError(f"{name}: expected at least {_SMALLEST} x {_SMALLEST} pixels at a rate from 1 to 120")
    return Region(Box(x, y, width, height), rate)


class ScreenFeed:
    """Takes the region at its rate: by X11 on Linux, by GDI on Windows; not on macOS."""

    def __init__(self, name: str, *, system: str = sys.platform, display: str | None = None) -> None:
        """Understand the region.

        Args:
            display: of X11; None: what the environment says.

        Raises:
            SourceError: not a region.
        """
        self._name = name
        self._region = region_of(name)
        self._system = system
        self._display = display if display is not None else os.environ.get("DISPLAY", "")

    @property
    def name(self) -> str:
        return self._name

    @property
    def lasting(self) -> bool:
        return False

    @property
    def patient(self) -> bool:
        return False

    @property
    def received(self) -> None:
        return None

    def open(self) -> InputContainer:
        file, format, options = self._device()
        try:
            return av.open(file, "r", format=format, options=options, timeout=(10.0, 10.0))
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = describe(error) if isinstance(error, OSError) else str(error)
            raise SourceError(
                f"{self._name}: expected a screen that may be taken, got an error ({reason}); "
                "check that the region lies on the screen and that recording it is allowed"
            ) from error

    def stop(self) -> None:
        """Nothing: a screen always has a picture."""

    def close(self) -> None:
        """Nothing is taken beside the container."""

    def _device(self) -> tuple[str, str, dict[str, str]]:
        box = self._region.box
        size = {"video_size": f"{box.width}x{box.height}", "framerate": str(self._region.rate)}
        if self._system == "win32":
            return "desktop", "gdigrab", size | {"offset_x": str(box.x), "offset_y": str(box.y)}
        if self._system == "darwin":
            raise SourceError(
                f"{self._name}: expected X11 or Windows, got macOS, where a region cannot be taken; "
                "use a virtual camera of a screen recorder (OBS) as camera:N"
            )
        if not self._display:
            raise SourceError(
                f"{self._name}: expected an X11 screen (DISPLAY), got none; "
                "Wayland alone does not let programs take the screen: use OBS's virtual camera as camera:N"
            )
        return f"{self._display}+{box.x},{box.y}", "x11grab", size
