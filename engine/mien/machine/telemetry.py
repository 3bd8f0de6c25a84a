"""Turns off the telemetry of OpenVINO, NNCF and ONNX Runtime.

`import mien` calls `turn_off`, so it happens before any of these packages is loaded, in commands and in programs that
use the library.
"""

from __future__ import annotations

import os
import sys
from typing import Final

REPORTER: Final = "openvino_telemetry"
"""The package through which OpenVINO and NNCF report to Google Analytics; both run without it."""
SWITCHES: Final = {"ORT_DISABLE_TELEMETRY": "1"}
"""Environment variables that turn telemetry off, read when the package of their name is loaded."""


def turn_off() -> None:
    """Keep this process and its children from reporting to anyone; costs nothing and loads nothing.

    OpenVINO has no switch: importing it imports its model converter, which reports the import. Python refuses to import
    a module whose entry in `sys.modules` is None, and OpenVINO then takes the stand-in that it ships for that case.
    """
    os.environ.update(SWITCHES)
    if REPORTER not in sys.modules:
        sys.modules[REPORTER] = None  # type: ignore[assignment]  # what the import system documents


def is_off() -> bool:
    """Whether `turn_off` came in time: not so where a program imported OpenVINO before mien."""
    return sys.modules.get(REPORTER) is None and all(os.environ.get(name) == value for name, value in SWITCHES.items())
