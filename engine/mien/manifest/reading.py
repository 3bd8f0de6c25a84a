"""Reads a bundle from its folder and checks every key, tensor and file."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from mien.errors import ModelError
from mien.manifest import files
from mien.manifest.bundle import FORMAT, MANIFEST, Bundle, Graph, TensorSpec
from mien.manifest.families import ONESHOT, family_named
from mien.manifest.family import RUNS, Runs
from mien.manifest.rules import check
from mien.plane import Box

_MOST_BYTES: Final = 1 << 20
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_TENSOR_NAME: Final = re.compile(r"[\w./:-]{1,128}", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_WORDS: Final = ("licence", "version", "commit", "trained_on", "losses")
_BUNDLE_KEYS: Final = frozenset({"format", "name", "family", "kind", "size", "side", "graph", *_WORDS})
_BUNDLE_OPTIONS: Final = frozenset({"classes", "attributes", "precisions_for_auto", "view"})
_GRAPH_KEYS: Final = frozenset({"name", "runs", "precision", "file", "sha256", "input", "output"})
_TENSOR_KEYS: Final = frozenset({"name", "role", "shape", "dtype"})
_TENSOR_OPTIONS: Final = frozenset({"range", "warped"})
_KEYS_OF_1: Final = _BUNDLE_KEYS - {"family"} | {"parsing"}
_OPTIONS_OF_1: Final = _BUNDLE_OPTIONS - {"classes", "attributes"}

T = TypeVar("T")
Table = Mapping[str, Any]


def read_bundle(folder: Path) -> Bundle:
    """The bundle in `folder`, checked: manifest, hashes, and that every graph is what the manifest says.

    Raises:
        ModelError: it is missing, cut short, changed, or breaks the contract.
    """
    bundle = read_manifest(folder)
    for graph in bundle.graphs:
        files.check_file(graph)
    return bundle


def read_manifest(folder: Path) -> Bundle:
    """The bundle that the manifest in `folder` speaks of; its files are there, but were not looked into.

    Raises:
        ModelError: the manifest or a file is missing, or the manifest breaks the contract.
    """
    path = folder / MANIFEST
    if not os.path.isdir(folder):
        raise ModelError(f"{folder}: expected the folder of a model bundle, got none")
    if os.path.isdir(folder) and not os.access(folder, os.X_OK):
        raise ModelError(f"{folder}: expected to be allowed to read the model bundle, got none; change its permissions")
    if os.path.islink(path) or not os.path.isfile(path):
        raise ModelError(f"{folder}: expected a model bundle with a {MANIFEST}, got none there")
    if path.stat().st_size > _MOST_BYTES:
        raise ModelError(f"{path}: expected at most {_MOST_BYTES} bytes, got {path.stat().st_size}")
    return parse(folder, files.content(path))


def parse(folder: Path, content: bytes) -> Bundle:
    """The bundle that a manifest with this content makes of `folder`; the files are looked for, but not into.

    Raises:
        ModelError: the manifest breaks the contract, or a file is missing.
    """
    where = str(folder / MANIFEST)
    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{where}: expected TOML, got something else ({error}); get the bundle again") from error
    if type(table.get("format")) is not int or table["format"] not in (1, FORMAT):
        raise ModelError(
            f"{where}: expected format = {FORMAT}, or 1, got {table.get('format')!r}; it was made for another version "
            "of mien"
        )
    bundle = _bundle(folder, _of_format_1(table, where) if table["format"] == 1 else table, where)
    try:
        family = family_named(bundle.family)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from error
    check(bundle, family, where)
    return bundle


def _of_format_1(table: Table, where: str) -> Table:
    """The table as format 2 has it. Format 1 had one family, whose parsing map was the only label map."""
    _need_keys(table, _KEYS_OF_1, _OPTIONS_OF_1, where)
    graphs = [{"runs": _runs_in_1(graph.get("name")), **graph} for graph in _tables(table, "graph", where)]
    changed = {"format": FORMAT, "family": ONESHOT.name, "classes": table["parsing"], "graph": graphs}
    return {key: value for key, value in table.items() if key != "parsing"} | changed


def _runs_in_1(name: object) -> Runs:
    return next((rule.runs for rule in ONESHOT.graphs if rule.name == name), "frame")


def _bundle(folder: Path, table: Table, where: str) -> Bundle:
    _need_keys(table, _BUNDLE_KEYS, _BUNDLE_OPTIONS, where)
    words = {key: _value(table, key, str, where) for key in _WORDS}
    graphs = tuple(_graph(folder, graph, where) for graph in _tables(table, "graph", where))
    return Bundle(
        folder,
        name=_matched(table, "name", _NAME, where),
        family=_matched(table, "family", _NAME, where),
        kind=_value(table, "kind", str, where),
        size=_matched(table, "size", _NAME, where),
        side=_value(table, "side", int, where),
        graphs=graphs,
        classes=_texts(table, "classes", where, ()),
        attributes=_texts(table, "attributes", where, ()),
        precisions_for_auto=_texts(table, "precisions_for_auto", where, ("fp32",)),
        view=_view(table, where),
        **words,
    )


def _view(table: Table, where: str) -> Box | None:
    if "view" not in table:
        return None
    numbers = _value(table, "view", list, where)
    if len(numbers) != 4 or not all(type(number) is int for number in numbers):
        raise ModelError(f"{where}: view must be four whole numbers: x, y, width, height; got {numbers}")
    return Box(*numbers)


def _graph(folder: Path, table: Table, where: str) -> Graph:
    where = f"{where}, graph {table.get('name')} {table.get('precision')}"
    _need_keys(table, _GRAPH_KEYS, frozenset(), where)
    return Graph(
        name=_value(table, "name", str, where),
        precision=_value(table, "precision", str, where),
        path=files.place(folder, _value(table, "file", str, where), where),
        sha256=_matched(table, "sha256", _SHA256, where),
        inputs=tuple(_tensor(tensor, where) for tensor in _tables(table, "input", where)),
        outputs=tuple(_tensor(tensor, where) for tensor in _tables(table, "output", where)),
        runs=_runs(table, where),
    )


def _runs(table: Table, where: str) -> Runs:
    for runs in RUNS:
        if table["runs"] == runs:
            return runs
    raise ModelError(f"{where}: runs must be one of {', '.join(RUNS)}, got {table['runs']!r}")


def _tensor(table: Table, where: str) -> TensorSpec:
    where = f"{where}, tensor {table.get('name')}"
    _need_keys(table, _TENSOR_KEYS, _TENSOR_OPTIONS, where)
    return TensorSpec(
        name=_matched(table, "name", _TENSOR_NAME, where),
        role=_value(table, "role", str, where),
        shape=_shape(table, where),
        dtype=_value(table, "dtype", str, where),
        range=_range(table, where),
        warped=_value(table, "warped", bool, where) if "warped" in table else False,
    )


def _shape(table: Table, where: str) -> tuple[str | int, ...]:
    shape = _value(table, "shape", list, where)
    if not all(type(size) in (str, int) for size in shape):
        raise ModelError(f"{where}: shape must be of whole numbers and the name of the batch, got {shape}")
    return tuple(shape)


def _range(table: Table, where: str) -> tuple[float, float] | None:
    if "range" not in table:
        return None
    limits = _value(table, "range", list, where)
    if len(limits) != 2 or not all(type(limit) in (float, int) for limit in limits):
        raise ModelError(f"{where}: range must be two numbers, got {limits}")
    return float(limits[0]), float(limits[1])


def _need_keys(table: Table, needed: frozenset[str], optional: frozenset[str], where: str) -> None:
    for key in sorted(needed - set(table)):
        raise ModelError(f"{where}: expected the key {key!r}, got none; get the bundle again")
    for key in sorted(set(table) - needed - optional):
        raise ModelError(f"{where}: unknown key {key!r}; the bundle may want a later version of mien")


def _value(table: Table, key: str, kind: type[T], where: str) -> T:
    value = table[key]
    if type(value) is not kind:
        raise ModelError(f"{where}: {key} must be a {kind.__name__}, got {value!r}")
    return value


def _matched(table: Table, key: str, pattern: re.Pattern[str], where: str) -> str:
    text = _value(table, key, str, where)
    if not pattern.fullmatch(text):
        raise ModelError(f"{where}: {key} must look like {pattern.pattern}, got {text!r}")
    return text


def _texts(table: Table, key: str, where: str, without: tuple[str, ...]) -> tuple[str, ...]:
    """A list of texts, `without` where the key is not there."""
    if key not in table:
        return without
    values = _value(table, key, list, where)
    if not all(isinstance(value, str) for value in values):
        raise ModelError(f"{where}: {key} must be a list of names, got {values}")
    return tuple(values)


def _tables(table: Table, key: str, where: str) -> list[Table]:
    values = _value(table, key, list, where)
    if not values or not all(isinstance(value, dict) for value in values):
        raise ModelError(f"{where}: expected one or more tables {key!r}, got {values if values else 'none'}")
    return values
