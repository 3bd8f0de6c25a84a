"""The direction of imports, as ARCHITECTURE.md states it, read from the sources without running them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "mien": ROOT / "engine/mien",
    "mien_kernels": ROOT / "kernels/mien_kernels",
    "mien_export": ROOT / "export/mien_export",
    "mien_bench": ROOT / "bench/mien_bench",
}
MAY_IMPORT = {
    "mien": {"mien", "mien_kernels"},
    "mien_kernels": {"mien_kernels"},
    "mien_export": {"mien_export", "mien", "mien_kernels"},
    "mien_bench": {"mien_bench", "mien", "mien_kernels"},
}
LATER_BY_ONE = {"mien_bench.face_video.judges": "mien_export"}
"""What else one module may import, in a function: the label maker is a judge, and is in the export package only."""
ROOMS = {"capture", "parse", "motion", "portrait", "reenact", "paint", "style", "fuse", "smooth", "emit"}
LAYERS = [  # from below; what is not named is in the lowest layer, and the longest name that fits counts
    {"portrait.portrait"},  # the value
    {"runtime"},
    ROOMS | {"nobody", "parsing"},
    {"pipeline", "chain", "stages", "survey", "places", "portrait.prepare", "morphing"},
    {"api", "avatars", "live", "labelling", "resynthesis", "styling", "verification", "verdict"},
    {"serve"},
    {"commands", "cli", "__main__", "__init__"},
]
ROOM_LEVEL = 2
ONE_FILE_PER_PACKAGE = {"mediapipe", "openvino", "onnxruntime", "cupy"}
ONE_FOLDER = {"tensorrt", "c2pa", "jwt"}


@dataclass(frozen=True)
class Import:
    """`module` (its dotted name, absolute) is imported by the module `by`, when that itself is imported or `later`."""

    by: str
    module: str
    later: bool


def _module_name(package: str, folder: Path, path: Path) -> str:
    parts = [package, *path.relative_to(folder).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


def _imports(tree: ast.AST, by: str, later: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(by, alias.name, later) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{by} has a relative import"
            assert node.module is not None
            yield from (Import(by, f"{node.module}.{alias.name}", later) for alias in node.names)
        else:
            in_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(node, by, later or in_function)


def _all_imports() -> list[Import]:
    return [
        found
        for package, folder in PACKAGES.items()
        for path in sorted(folder.rglob("*.py"))
        for found in _imports(ast.parse(path.read_text()), _module_name(package, folder, path))
    ]


def _layer(module: str) -> int:
    parts = module.split(".")[1:]
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        for level, names in enumerate(LAYERS):
            if name in names:
                return level
    return 0


def _room(module: str) -> str | None:
    """The room that a module of `mien` is in; None: none."""
    room = module.split(".")[1]
    return room if room in ROOMS and _layer(module) == ROOM_LEVEL else None


def _wrong_direction(found: Import) -> str | None:
    """What is wrong with an import between our own packages; None if nothing is."""
    source, target = found.by.split("."), found.module.split(".")
    if target[0] not in PACKAGES:
        return None
    if found.later and LATER_BY_ONE.get(found.by) == target[0]:
        return None
    if target[0] not in MAY_IMPORT[source[0]]:
        return f"{found.by} imports {found.module}: {source[0]} must not import {target[0]}"
    if source[0] == target[0] == "mien" and len(target) > 1 and source[1] != "__init__":
        if _layer(found.module) > _layer(found.by):
            return f"{found.by} imports {found.module}, which lies above it"
        rooms = {_room(found.by), _room(found.module)}
        if None not in rooms and len(rooms) > 1:
            return f"{found.by} imports {found.module}: rooms do not import each other"
    return None


def test_imports_point_downwards() -> None:
    wrong = [text for found in _all_imports() if (text := _wrong_direction(found))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("by", "module", "allowed"),
    [
        ("mien.fuse.paste", "mien_kernels.ops", True),
        ("mien.fuse.paste", "mien.frame.Frame", True),
        ("mien.fuse.paste", "mien.fuse.mask.Mask", True),
        ("mien.fuse.paste", "mien.smooth.blend", False),
        ("mien.paint.scene", "mien.reenact.mesh.Mesh", False),
        ("mien.paint.scene", "mien.posed.Posed", True),
        ("mien.chain", "mien.paint.painter.Paint", True),
        ("mien.fuse.paste", "mien.pipeline.Stages", False),
        ("mien.frame", "mien.runtime.session.GraphSession", False),
        ("mien.runtime.session", "mien.face.pose", True),
        ("mien.pipeline", "mien.emit.sink.Sink", True),
        ("mien.pipeline", "mien.api.animate", False),
        ("mien.fuse.paste", "mien.portrait.portrait.Portrait", True),
        ("mien.fuse.paste", "mien.portrait.building.check_face", False),
        ("mien.portrait.building", "mien.parse.find.find_faces", False),
        ("mien.portrait.prepare", "mien.parse.find.find_faces", True),
        ("mien.cli", "mien.api", True),
        ("mien.serve.app", "mien.live.session", True),
        ("mien.live.session", "mien.serve.app", False),
        ("mien.frame", "mien_export.canonical", False),
        ("mien_kernels.ops", "mien.frame.Frame", False),
        ("mien_bench.engines", "mien_export.train", False),
        ("mien_bench.face_video.judges", "mien_export.families", False),
        ("mien_export.train", "mien.face.topology", True),
        ("mien_export.train", "torch.nn", True),
    ],
)
def test_the_rule_tells_up_from_down(by: str, module: str, allowed: bool) -> None:
    assert (_wrong_direction(Import(by, module, later=False)) is None) == allowed


def test_heavy_packages_are_imported_in_one_place() -> None:
    places: dict[tuple[str, str], set[str]] = defaultdict(set)
    for found in _all_imports():
        package, name = found.by.split(".")[0], found.module.split(".")[0]
        if name in ONE_FILE_PER_PACKAGE:
            places[package, name].add(found.by)
        elif name in ONE_FOLDER:
            places[package, name].add(found.by.rpartition(".")[0])
    scattered = {place: by for place, by in places.items() if len(by) > 1}
    assert not scattered


def test_torch_stays_out_of_the_runtime() -> None:
    wrong = [
        found
        for found in _all_imports()
        if found.module.split(".")[0] in {"torch", "torchvision"}
        and not found.by.startswith("mien_export")
        and not (found.by.startswith("mien_bench") and found.later)
    ]
    assert not wrong


def test_aiortc_stays_in_one_folder() -> None:
    places = {found.by.rpartition(".")[0] for found in _all_imports() if found.module.split(".")[0] == "aiortc"}
    assert places <= {"mien.serve.webrtc", "mien_bench.latency.webrtc"}  # the server, and the peer that measures it


@pytest.mark.parametrize("module", ["mien", "mien.cli"])
def test_importing_is_free(module: str) -> None:
    heavy = "av mediapipe cv2 numpy mien_kernels onnxruntime openvino torch"
    code = f"import sys, {module}; print(*sorted(set('{heavy}'.split()) & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
