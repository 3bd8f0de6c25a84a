"""The cameras and virtual cameras of this machine, in words for the doctor."""

from __future__ import annotations

import sys

from mien.capture.cameras import list_cameras
from mien.emit.virtual import virtual_cameras

_WITHOUT = {
    "linux": "none found: modprobe v4l2loopback exclusive_caps=1",
    "darwin": "OBS's, where it is installed",
    "win32": "OBS's, where it is installed",
}


def devices() -> dict[str, str]:
    """What there is, by kind; listed without opening anything."""
    cameras = [f"camera:{number} {camera.title}" for number, camera in enumerate(list_cameras())]
    return {
        "cameras": "; ".join(cameras) or "none found",
        "virtual cameras": ", ".join(virtual_cameras()) or _WITHOUT.get(sys.platform, "none is known for this system"),
    }
