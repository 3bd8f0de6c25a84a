"""NVIDIA GPUs that this machine has, and whether their driver serves CUDA 13, without loading any library for them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OLDEST_DRIVER: Final = 580
"""The first driver that serves CUDA 13, which the kernels and the packages of the extra `gpu` are made with."""
_MODULE: Final = Path("/proc/driver/nvidia/version")
_PCI: Final = Path("/sys/bus/pci/devices")
_NVIDIA: Final = "0x10de"
_DISPLAY: Final = ("0x0300", "0x0302")
"""PCI classes of display and of 3D controllers."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """The GPU that engines are built for and run on, as its driver tells it."""

    name: str
    capability: tuple[int, int]
    driver: str


@dataclass(frozen=True, slots=True)
class ListedGpu:
    """A GPU that is in the machine, whether or not it can be used."""

    name: str
    driver: str | None
    """Its driver's version; None: no driver answers."""

    @property
    def fault(self) -> str | None:
        """Why CUDA 13 cannot use it, and what to do; None: its driver will do."""
        if self.driver is None:
            return f"no driver answers for it (nvidia-smi); install NVIDIA's driver {OLDEST_DRIVER} or newer"
        release = re.match(r"\d+", self.driver)
        if release is not None and int(release[0]) < OLDEST_DRIVER:
            return (
                f"its driver {self.driver} is older than CUDA 13 asks for; "
                f"install NVIDIA's driver {OLDEST_DRIVER} or newer"
            )
        return None


def driver_release() -> str:
    """The version line of the kernel's driver module; empty without one."""
    try:
        return " ".join(_MODULE.read_text().split())
    except OSError:
        return ""


def listed_gpus(pci: Path = _PCI) -> tuple[ListedGpu, ...]:
    """What the driver shows or, where none answers, what is on the PCI bus (Linux; `pci` is its folder in /sys)."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return tuple(_on_bus(pci))
    rows = [line.rpartition(",") for line in answer.stdout.splitlines() if line.strip()]
    return tuple(ListedGpu(name.strip(), driver.strip()) for name, _, driver in rows)


def _on_bus(pci: Path) -> list[ListedGpu]:
    found = []
    for vendor in sorted(pci.glob("*/vendor")):
        try:
            kind, model = ((vendor.parent / name).read_text().strip() for name in ("class", "device"))
            if vendor.read_text().strip() == _NVIDIA and kind.startswith(_DISPLAY):
                found.append(ListedGpu(f"NVIDIA GPU {_NVIDIA[2:]}:{model[2:]}", None))
        except OSError:
            continue
    return found
