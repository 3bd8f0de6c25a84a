"""What CONTRIBUTING.md promises of the sources, counted without running them. The limits are those of its table."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOTS = {
    "engine": ROOT / "engine/mien",
    "kernels": ROOT / "kernels/mien_kernels",
    "export": ROOT / "export/mien_export",
    "bench": ROOT / "bench/mien_bench",
}
STAGES = ("parse", "motion", "portrait", "reenact", "paint", "draw", "fuse", "smooth", "face", "manifest")
"""Folders of the engine whose code is plain callables on values, free of threads, event loops and clocks."""
CONCURRENT = {"threading", "concurrent", "multiprocessing", "asyncio", "queue", "time"}
FRAME_PATH = (*STAGES, "pipeline")
"""Folders of the engine whose callables are typed in full: each frame passes through them."""
INSIDES = {
    "aiortc": {"mien.serve.webrtc.inside"},
    "av": {"mien.capture.interrupt"},
}
"""Packages of others of which more than the public interface is used, and the one module that does so."""
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "base", "misc"}
KERNEL_PARTS = {"portable", "sample"}
"""Headers of kernels that several operations share."""
OPS = ("ops", "geometry")
"""Modules in which operations check their arguments and choose where they run."""

API_FIELDS = "mien.serve.fields"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One source file of one of the four roots."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def length(self) -> int:
        """Lines."""
        return self.text.count("\n")

    @property
    def room(self) -> str:
        """The folder of its root that it lies in; its own name where it lies in none."""
        return self.name.split(".")[1]

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def imported(self) -> dict[str, str]:
        """What each name that an import binds stands for, with its dots."""
        bound = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    bound[alias.asname or alias.name.split(".")[0]] = alias.name
            elif isinstance(node, ast.ImportFrom):
                bound |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        return bound


@cache
def _modules(root: str) -> tuple[Module, ...]:
    """Of one root; an `__init__.py` without a statement but its docstring is part of its folder, and not counted."""
    folder = ROOTS[root]
    paths = sorted(folder.rglob("*.py"))
    names = (".".join([folder.name, *path.relative_to(folder).with_suffix("").parts]) for path in paths)
    found = (Module(name, path) for name, path in zip(names, paths, strict=True))
    return tuple(module for module in found if module.path.name != "__init__.py" or len(module.tree.body) > 1)


def _limit(counted: str, root: str) -> float:
    """What the table of CONTRIBUTING.md allows."""
    rows = [
        [cell.strip() for cell in line.strip("|\n ").split("|")]
        for line in (ROOT / "CONTRIBUTING.md").read_text().splitlines()
        if line.startswith("|")
    ]
    head = next(row for row in rows if row[0] == "counted")
    row = next(row for row in rows if row[0] == counted)
    assert row[head.index("reason")], f"{counted}: expected a reason beside the number"
    return float(row[head.index(root)])


def _lines(function: Function) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


@pytest.mark.parametrize("root", ROOTS)
def test_modules_are_not_slivers(root: str) -> None:
    modules = _modules(root)
    density = 1000 * len(modules) / sum(module.length for module in modules)
    assert round(density, 1) <= _limit("modules per 1000 lines", root)


@pytest.mark.parametrize("root", ROOTS)
def test_no_file_is_too_long_to_read_at_a_sitting(root: str) -> None:
    limit = _limit("lines of the longest file", root)
    assert {module.name: module.length for module in _modules(root) if module.length > limit} == {}


@pytest.mark.parametrize("root", ROOTS)
def test_no_function_is_too_long(root: str) -> None:
    limit = _limit("lines of the longest function", root)
    functions = ((module, function) for module in _modules(root) for function in module.functions())
    assert {f"{m.name}.{f.name}": _lines(f) for m, f in functions if _lines(f) > limit} == {}


@pytest.mark.parametrize("root", ROOTS)
def test_most_functions_are_short(root: str) -> None:
    lengths = [_lines(function) for module in _modules(root) for function in module.functions()]
    share = 100 * sum(length > 25 for length in lengths) / len(lengths)
    assert round(share, 1) <= _limit("per cent of functions over 25 lines", root)


@pytest.mark.parametrize("root", ROOTS)
def test_public_names_have_docstrings(root: str) -> None:
    public = [node for module in _modules(root) for node in _public(module.tree)]
    bare = 100 * sum(ast.get_docstring(node) is None for node in public) / len(public)
    assert round(bare, 1) <= _limit("per cent of public names without a docstring", root)


def _public(tree: ast.Module) -> Iterator[Function | ast.ClassDef]:
    """Functions, classes and methods whose name has no underscore in front; not methods of private classes."""
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                methods = (part for part in node.body if isinstance(part, Function))
                yield from (method for method in methods if not method.name.startswith("_"))


def test_stages_know_no_threads_and_no_clocks() -> None:
    wrong = {
        (module.name, meant)
        for module in _modules("engine")
        if module.room in STAGES
        for meant in module.imported().values()
        if meant.split(".")[0] in CONCURRENT
    }
    assert wrong == set()


def test_threads_are_used_in_few_files() -> None:
    users = [
        module.name
        for module in _modules("engine")
        if any(meant.split(".")[0] in {"threading", "concurrent"} for meant in module.imported().values())
    ]
    assert len(users) <= _limit("files that use threads", "engine"), users


def test_callables_on_the_way_of_a_frame_say_what_they_take() -> None:
    loose = [
        f"{module.name}:{node.lineno}"
        for module in _modules("engine")
        if module.room in FRAME_PATH
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Subscript) and _takes_anything(node)
    ]
    assert loose == []


def _takes_anything(node: ast.Subscript) -> bool:
    """Whether it is `Callable[..., Something]`."""
    if not (isinstance(node.value, ast.Name) and node.value.id == "Callable" and isinstance(node.slice, ast.Tuple)):
        return False
    first = node.slice.elts[0]
    return isinstance(first, ast.Constant) and first.value is ...


@pytest.mark.parametrize("package", INSIDES)
def test_what_is_private_in_a_package_is_touched_in_one_module(package: str) -> None:
    users = {
        f"{module.name}:{line}"
        for root in ROOTS
        for module in _modules(root)
        if package in {meant.split(".")[0] for meant in module.imported().values()}
        and module.name not in INSIDES[package]
        for line in _touched(module, package)
    }
    assert users == set()


def _touched(module: Module, package: str) -> Iterator[int]:
    """Lines on which the inside of `package` is used: a private name imported or read, or a public one replaced."""
    own = _private_of(module.tree)
    bound = module.imported()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
            if any(alias.name.startswith("_") for alias in node.names):
                yield node.lineno
        elif isinstance(node, ast.Attribute):
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            inherited = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
            replaced = isinstance(node.ctx, ast.Store) and _root(node, bound).split(".")[0] == package
            if replaced or (private and not inherited and node.attr not in own):
                yield node.lineno


def _private_of(tree: ast.Module) -> set[str]:
    """Private attributes that a module gives to its own classes."""
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    assigned = {
        node.attr for node in attributes if isinstance(node.ctx, ast.Store) and _root(node, {}) in {"self", "cls"}
    }
    fields = (node.target for node in ast.walk(tree) if isinstance(node, ast.AnnAssign))
    named = {node.id for node in fields if isinstance(node, ast.Name)}
    methods = {node.name for node in ast.walk(tree) if isinstance(node, Function)}
    return {name for name in assigned | named | methods if name.startswith("_")}


def _root(node: ast.expr, bound: dict[str, str]) -> str:
    """The name at which a chain of attributes begins, as imported."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return bound.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def test_names_say_what_a_module_is() -> None:
    vague = {module.name for root in ROOTS for module in _modules(root) if set(module.name.split(".")) & VAGUE}
    assert vague == set()


def test_a_class_name_means_one_thing() -> None:
    """The objects of the HTTP API are called as in the API, and only used with their module's name before them."""
    modules: dict[str, list[str]] = defaultdict(list)
    for module in _modules("engine"):
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and module.name != API_FIELDS:
                modules[node.name].append(module.name)
    assert {name: users for name, users in modules.items() if len(users) > 1} == {}


def test_each_kernel_operation_has_one_name_everywhere() -> None:
    kernels = ROOT / "kernels"
    names = {path.stem for path in (kernels / "include/mien").glob("*.h")} - KERNEL_PARTS
    tests = "".join(path.read_text() for path in (ROOT / "tests/kernels").glob("test_*.py"))
    tasks = "".join(module.text for module in _modules("bench"))
    missing = {
        (name, place)
        for name in names
        for place, has in {
            "loop": (kernels / f"cpu/{name}.cpp").exists(),
            "CUDA": (kernels / f"cuda/{name}.cu").exists(),
            "binding": f'"{name}"' in (kernels / "bind/module.cpp").read_text(),
            "reference": f"def {name}(" in (kernels / "mien_kernels/reference.py").read_text(),
            "dispatch": any(f"def {name}(" in (kernels / f"mien_kernels/{ops}.py").read_text() for ops in OPS),
            "test": name in tests,
            "bench": name in tasks,
        }.items()
        if not has
    }
    assert missing == set()
