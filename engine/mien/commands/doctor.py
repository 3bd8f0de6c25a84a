"""`mien doctor`: what this machine has, what is missing, and what mien will use."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mien.bundles import InstalledBundle, installed_bundles
from mien.capture.camera import list_cameras
from mien.emit.virtual import virtual_cameras
from mien.errors import MienError, in_one_line
from mien.machine import telemetry
from mien.machine.gpu import ListedGpu, listed_gpus
from mien.machine.processor import this_processor, usable_threads
from mien.manifest import read_bundle
from mien.runtime.opening import usable

_WITHOUT = {
    "linux": "none found: modprobe v4l2loopback exclusive_caps=1",
    "darwin": "OBS's, where it is installed",
    "win32": "OBS's, where it is installed",
}
CORE = ("mien", "numpy", "av", "mediapipe", "protobuf")
OPTIONAL = (
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "tensorrt",
    "cupy-cuda13x",
    "aiohttp",
    "aiortc",
    "pyvirtualcam",
)
ON_PROCESSOR = ("onnxruntime", "openvino")
ON_GPU = ("tensorrt", "onnxruntime-tensorrt", "onnxruntime-cuda")
CPU_EXTRA = "pip install 'mien[cpu]'"
PYTHONS = ((3, 11), (3, 12))


def devices() -> dict[str, str]:
    """What there is, by kind; listed without opening anything."""
    cameras = [f"camera:{number} {camera.title}" for number, camera in enumerate(list_cameras())]
    return {
        "cameras": "; ".join(cameras) or "none found",
        "virtual cameras": ", ".join(virtual_cameras()) or _WITHOUT.get(sys.platform, "none is known for this system"),
    }


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts about the machine, gathered without loading anything heavy."""

    system: str
    processor: str
    features: tuple[str, ...]
    """What the processor has that speeds networks up, as `mien.machine.processor.FEATURES` names it."""
    cores: int
    """Logical processors that this process may run on."""
    memory_gib: float
    """Of the machine; 0 where the system does not say."""
    python: tuple[int, int, int]
    gpus: tuple[ListedGpu, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A model bundle that is here."""

    name: str
    packaged: bool
    """Whether it comes with mien."""
    about: str
    """Its size and precisions."""
    fault: str | None
    """Why it cannot be used."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What loads: each is the part's own word on itself, or the reason why it does not load."""

    kernels: str
    """Instruction set that the native kernels use here."""
    kernels_error: str | None
    landmarks_error: str | None
    encoder: str | None
    """The H.264 encoder; None where there is none."""
    runtimes: Mapping[str, str] = field(default_factory=dict)
    """That run networks here, each with its own word on itself."""
    lacking: Mapping[str, str] = field(default_factory=dict)
    """Runtimes that do not load, each with cause and cure."""
    models: tuple[Model, ...] = ()
    devices: Mapping[str, str] = field(default_factory=dict)
    """Cameras and virtual cameras, by kind."""
    telemetry: str = "off"
    """Of the packages that mien runs on."""


@dataclass(frozen=True, slots=True)
class MachineReport:
    """The findings, in the order in which they are told."""

    machine: Machine
    packages: Mapping[str, str | None]
    uses: Mapping[str, str]
    """What mien will use, by task."""
    notes: tuple[str, ...]
    """What is worth knowing and stops nothing."""
    problems: tuple[str, ...]
    """What must be cured before mien runs."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"packages": dict(self.packages), "uses": dict(self.uses), "healthy": not self.problems}

    def as_text(self) -> str:
        machine = self.machine
        facts = {
            "system": machine.system,
            "processor": f"{machine.processor}, {machine.cores} usable",
            "features": ", ".join(machine.features) or "none that speed networks up",
            "memory": f"{machine.memory_gib:.1f} GiB" if machine.memory_gib else "unknown",
            "python": ".".join(map(str, machine.python)),
            "gpu": ", ".join(_titled(gpu) for gpu in machine.gpus) or "none found",
        }
        packages = {name: found or "-" for name, found in self.packages.items()}
        sections = [_table("machine", facts), _table("packages", packages), _table("mien will use", self.uses)]
        findings = [f"note: {note}" for note in self.notes]
        findings += [f"problem: {problem}" for problem in self.problems] or ["all is well"]
        sections.append("\n".join(findings))
        return "\n\n".join(sections)


def examine() -> MachineReport:
    """Look at this machine and judge it."""
    return judge(_look_at_machine(), {name: _installed(name) for name in CORE + OPTIONAL}, _load_parts())


def judge(machine: Machine, packages: Mapping[str, str | None], parts: Parts) -> MachineReport:
    """The report on given findings; `packages` maps distribution names to versions, None where not installed."""
    return MachineReport(
        machine, packages, _uses(machine, packages, parts), _notes(machine, parts), _problems(machine, packages, parts)
    )


def _uses(machine: Machine, packages: Mapping[str, str | None], parts: Parts) -> dict[str, str]:
    sound = {f"model {model.name}": model.about for model in parts.models if model.fault is None}
    return {
        "landmarks": f"mediapipe {packages['mediapipe'] or '(missing)'} on the processor",
        "networks": "; ".join(f"{name} {about}" for name, about in parts.runtimes.items()) or f"none: {CPU_EXTRA}",
        "model warp": "no network",
        **sound,
        "pixels": f"mien_kernels, {parts.kernels}, {machine.cores} threads",
        "video": parts.encoder or "no H.264 encoder",
        "telemetry": parts.telemetry,
        **parts.devices,
    }


def _notes(machine: Machine, parts: Parts) -> tuple[str, ...]:
    notes = [parts.lacking[name] for name in ON_PROCESSOR if name in parts.lacking]
    notes += [f"model {model.name} cannot be used: {model.fault}" for model in parts.models if _broken(model, False)]
    return (*notes, *(_use_of(gpu, parts) for gpu in machine.gpus))


def _use_of(gpu: ListedGpu, parts: Parts) -> str:
    """One line: what is used, why, and what to do."""
    using = [name for name in ON_GPU if name in parts.runtimes]
    idle = f"{gpu.name} is there, but the processor is used"
    if gpu.fault is not None:
        return f"{idle}: {gpu.fault}"
    if not using:
        return f"{idle}: no runtime for it loads ({parts.lacking.get('tensorrt', 'no TensorRT')})"
    line = f"{gpu.name} is used where it is asked for: --backend {' or '.join(using)}"
    return (
        line if "tensorrt" in using else f"{line}; faster with TensorRT: {parts.lacking.get('tensorrt', 'install it')}"
    )


def _titled(gpu: ListedGpu) -> str:
    return f"{gpu.name}, driver {gpu.driver or 'none'}"


def _broken(model: Model, packaged: bool) -> bool:
    return model.fault is not None and model.packaged == packaged


def _problems(machine: Machine, packages: Mapping[str, str | None], parts: Parts) -> tuple[str, ...]:
    problems = [f"{name} is not installed; install mien again" for name in CORE if not packages[name]]
    if machine.python[:2] not in PYTHONS:
        problems.append(f"Python must be 3.11 or 3.12, got {'.'.join(map(str, machine.python))}")
    if packages["onnxruntime"] and packages["onnxruntime-gpu"]:
        problems.append(
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other's files; "
            "uninstall both, then install the extra cpu or the extra gpu, not both"
        )
    if parts.kernels_error:
        problems.append(f"the native kernels do not load ({parts.kernels_error}); build mien again with a C++ compiler")
    if parts.landmarks_error:
        problems.append(
            f"mediapipe does not load ({parts.landmarks_error}); on Debian: apt install libgl1 libglib2.0-0"
        )
    problems += [f"model {model.name} is broken: {model.fault}" for model in parts.models if _broken(model, True)]
    if not parts.encoder:
        problems.append("PyAV has no H.264 encoder, so no mp4 can be written; install av from PyPI's wheels")
    return tuple(problems)


def _table(title: str, rows: Mapping[str, str]) -> str:
    width = max(map(len, rows))
    return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in rows.items())])


def _look_at_machine() -> Machine:
    major, minor, patch = (int(part) for part in platform.python_version_tuple()[:3])
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=this_processor().name,
        features=this_processor().features,
        cores=usable_threads(),
        memory_gib=_memory_gib(),
        python=(major, minor, patch),
        gpus=listed_gpus(),
    )


def _memory_gib() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        return 0.0


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _load_parts() -> Parts:
    kernels, kernels_error = "none", None
    try:
        kernels = str(import_module("mien_kernels._native").selected_isa())
    except Exception as error:
        kernels_error = in_one_line(error)
    errors = kernels_error, _landmarks_error()
    return Parts(kernels, *errors, _h264_encoder(), *usable(), _models(), devices(), _telemetry())


def _telemetry() -> str:
    return "off" if telemetry.is_off() else "on: this process imported OpenVINO before mien"


def _models() -> tuple[Model, ...]:
    """Read in full, hashes and all."""
    return tuple(_model(place) for place in installed_bundles())


def _model(place: InstalledBundle) -> Model:
    try:
        bundle = read_bundle(place.folder)
    except MienError as error:
        return Model(place.name, place.packaged, "", str(error))
    where = "packaged" if place.packaged else str(place.folder)
    precisions = ", ".join(bundle.precisions(bundle.main))
    return Model(place.name, place.packaged, f"{bundle.kind} {bundle.size} in {precisions}; {where}", None)


def _landmarks_error() -> str | None:
    try:
        from mien.parse.models import FaceMesh

        FaceMesh(still=True).close()
    except Exception as error:
        return in_one_line(error)
    return None


def _h264_encoder() -> str | None:
    try:
        import av
    except ImportError:
        return None
    return next((f"PyAV {av.__version__}, {name}" for name in ("libx264",) if name in av.codecs_available), None)
