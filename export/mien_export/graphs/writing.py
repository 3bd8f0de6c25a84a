"""Writes a bundle from trained networks: graphs in the requested precisions, with measurements and manifest."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from onnx import ModelProto

from mien.errors import ModelError, SettingError, SinkError, reason_of
from mien.machine.atomic import Draft
from mien.manifest import MANIFEST, Bundle, Graph, family_named, write_manifest
from mien_export.data.faces import Faces
from mien_export.families.family import Trained
from mien_export.graphs.float16 import halved
from mien_export.graphs.int8 import chosen
from mien_export.graphs.tracing import Traced, checked, exported, inlined


@contextlib.contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder that becomes `folder` when the block ends, and vanishes when the block fails.

    Raises:
        SinkError: `folder` is there and is no bundle, or it cannot be written.
    """
    folder = Path(os.path.realpath(folder))  # a link to a bundle goes on leading to it
    if os.path.lexists(folder) and not _may_go(folder):
        raise SinkError(f"{folder}: expected a model bundle or nothing there, got something else; give another --out")
    old = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.old")
    new: Draft | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Draft(folder, folder=True)
        yield new.path
        if folder.exists():
            os.replace(folder, old)
        new.keep()
    except OSError as error:
        raise SinkError(f"{folder}: cannot be written ({reason_of(error)})") from error
    finally:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        if new is not None:
            new.drop()
        shutil.rmtree(old, ignore_errors=True)


def _may_go(folder: Path) -> bool:
    return os.path.isdir(folder) and ((folder / MANIFEST).is_file() or not any(folder.iterdir()))


@dataclass(frozen=True, slots=True)
class RealFaces:
    """Faces without which int8 cannot be made, and how many examples of them."""

    calibrating: Faces
    """Trained on."""
    testing: Faces
    """Not trained on."""
    calibrate: int = 64
    measure: int = 30


@dataclass(frozen=True, slots=True)
class Words:
    """What a manifest says of where a model comes from."""

    name: str
    licence: str
    version: str
    commit: str
    trained_on: str
    losses: str


def write_bundle(
    folder: Path,
    trained: Trained,
    words: Words,
    precisions: Iterable[str],
    faces: RealFaces | None,
    threads: int,
    tell: Callable[[str], None],
) -> Bundle:
    """Write graphs and manifest into an empty folder; fp32 is always among them.

    Only the main graph comes in int8: others run once per portrait.

    Args:
        faces: needed where int8 is among the precisions.
        tell: takes lines that say how it goes.

    Raises:
        ModelError: a network cannot be exported in such a precision.
        SettingError: int8 is wanted of networks that do not come in it.
        BackendError: int8 is wanted and ONNX Runtime is not there.
    """
    need_precisions(trained, precisions)
    traced = trained.graphs()
    models = {graph.name: exported(graph) for graph in traced}
    exact = [_unwritten(folder, trained, graph, "fp32") for graph in traced]
    graphs = [_written(folder, graph, inlined(models[graph.name])) for graph in exact]
    bundle = write_manifest(_bundle(folder, trained, words, graphs), folder)
    tell("fp32: written")
    if "fp16" in precisions:
        halves = [replace(graph, precision="fp16") for graph in exact]
        graphs += [_written(folder, graph, checked(halved(models[graph.name]))) for graph in halves]
        tell("fp16: written")
    auto = ["fp32"]
    if "int8" in precisions:
        assert faces is not None, "int8 needs faces"
        graph, family = bundle.graph(bundle.main), trained.family
        choice = chosen(
            models[graph.name],
            graph,
            family.int8_variants(trained.networks),
            family.examples(bundle, faces.calibrating, faces.calibrate, threads),
            family.examples(bundle, faces.testing, faces.measure, threads),
            family.measure,
            threads,
            tell,
        )
        graphs.append(_written(folder, replace(graph, precision="int8"), choice.model))
        auto += ["int8"] if choice.loss <= family.measure.most else []
    return write_manifest(replace(bundle, graphs=tuple(graphs), precisions_for_auto=tuple(auto)), folder)


def need_precisions(trained: Trained, precisions: Iterable[str]) -> None:
    """Refuse what these networks do not come in.

    Raises:
        SettingError: int8 is wanted, and they have no variant in it.
    """
    if "int8" in precisions and not trained.family.int8_variants(trained.networks):
        raise SettingError(
            f"--precision int8: models of kind {trained.family.kind} do not come in it; take fp32 or fp16"
        )


def _bundle(folder: Path, trained: Trained, words: Words, graphs: list[Graph]) -> Bundle:
    family = trained.family
    return Bundle(
        folder,
        name=words.name,
        family=family.family,
        kind=family.kind,
        size=trained.size,
        side=family.side(trained.size),
        licence=words.licence,
        version=words.version,
        commit=words.commit,
        trained_on=words.trained_on,
        losses=words.losses,
        graphs=tuple(graphs),
        classes=family_named(family.family).classes,
        view=family.view(trained.size),
    )


def _unwritten(folder: Path, trained: Trained, traced: Traced, precision: str) -> Graph:
    """A graph whose file is to come; its hash comes with the manifest.

    Raises:
        ModelError: its family has no such graph.
    """
    family = family_named(trained.family.family)
    rule = family.graph(traced.name)
    if rule is None:
        raise ModelError(f"{traced.name}: expected a graph of the family {family.name}, got another name")
    return Graph(traced.name, precision, folder, "", traced.inputs, traced.outputs, rule.runs)


def _written(folder: Path, graph: Graph, model: ModelProto) -> Graph:
    suffix = "" if graph.precision == "fp32" else f".{graph.precision}"
    path = folder / f"{graph.name}{suffix}.onnx"
    path.write_bytes(model.SerializeToString(deterministic=True))
    return replace(graph, path=path)
