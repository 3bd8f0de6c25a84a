"""Facts about the machine and the packages, without loading any: what stands at the head of every result."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from mien.machine.processor import this_processor, usable_threads
from mien_bench.results import Fact

PACKAGES: Final = (
    "mien",
    "numpy",
    "av",
    "mediapipe",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "tensorrt",
    "torch",
    "aiortc",
    "dlib-bin",
)
_MEMORY: Final = Path("/proc/meminfo")
_CACHES: Final = Path("/sys/devices/system/cpu/cpu0/cache")
_RELEASE: Final = Path("/etc/os-release")


def machine() -> dict[str, Fact]:
    """What this machine is; facts that the system does not tell are left out."""
    processor = this_processor()
    facts: dict[str, Fact | None] = {
        "processor": processor.name,
        "cores": usable_threads(),
        "features": ", ".join(processor.features) or None,
        "caches": _caches(),
        "memory": _memory(),
        "system": _system(),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load before": round(os.getloadavg()[0], 2),
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def versions() -> dict[str, str]:
    """Of `PACKAGES`, those that are installed."""
    found = {name: _version(name) for name in PACKAGES}
    return {name: number for name, number in found.items() if number is not None}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _memory() -> str | None:
    if not _MEMORY.exists():
        return None
    kib = int(_MEMORY.read_text().split(None, 2)[1])
    return f"{kib / (1 << 20):.1f} GiB"


def _caches() -> str | None:
    """Such as "48K, 32K, 2048K, 307200K", from the nearest."""
    sizes = sorted(_CACHES.glob("index*/size"))
    return ", ".join(f"L{_level(path)} {path.read_text().strip()}" for path in sizes) or None


def _level(path: Path) -> str:
    kind = (path.parent / "type").read_text().strip()
    return (path.parent / "level").read_text().strip() + {"Data": "d", "Instruction": "i"}.get(kind, "")


def _system() -> str | None:
    if not _RELEASE.exists():
        return None
    lines = (line.partition("=") for line in _RELEASE.read_text().splitlines())
    return next((value.strip('"') for key, _, value in lines if key == "PRETTY_NAME"), None)
