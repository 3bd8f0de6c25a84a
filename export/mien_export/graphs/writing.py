"""From trained networks to a bundle: graphs in the wanted precisions, measured, and their manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from onnx import ModelProto

from mien.errors import SettingError
from mien.face.topology import PARTS
from mien.manifest import Bundle, Graph, write_manifest
from mien_export.graphs.bounds import MOST_LOSS
from mien_export.graphs.halved import halved
from mien_export.graphs.int8 import RealPairs, chosen
from mien_export.graphs.live import KIND
from mien_export.graphs.reference import Reference
from mien_export.graphs.traced import Traced
from mien_export.graphs.tracing import checked, exported, inlined
from mien_export.graphs.trained import Trained
from mien_export.train.live import LiveNetworks


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
    pairs: RealPairs | None,
    threads: int,
    tell: Callable[[str], None],
) -> Bundle:
    """Write graphs and manifest into an empty folder; fp32 is always among them.

    Only the generator comes in int8: the appearance graph runs once per portrait.

    Args:
        pairs: needed where int8 is among the precisions.
        tell: takes lines that say how it goes.

    Raises:
        ModelError: a network cannot be exported in such a precision.
        SettingError: int8 is wanted of networks other than the live ones.
        BackendError: int8 is wanted and ONNX Runtime is not there.
    """
    need_precisions(trained, precisions)
    traced = trained.graphs()
    models = {graph.name: exported(graph) for graph in traced}
    graphs = [_written(folder, graph, "fp32", inlined(models[graph.name])) for graph in traced]
    bundle = write_manifest(_bundle(folder, trained, words, graphs), folder)
    tell("fp32: written")
    if "fp16" in precisions:
        graphs += [_written(folder, graph, "fp16", checked(halved(models[graph.name]))) for graph in traced]
        tell("fp16: written")
    auto = ["fp32"]
    if "int8" in precisions:
        assert pairs is not None, "int8 needs pairs"
        assert isinstance(trained.networks, LiveNetworks)
        levels = len(trained.networks.generator.size.levels)
        reference = Reference(bundle, threads)
        choice = chosen(models["generator"], bundle, levels, reference, pairs, threads, tell)
        reference.close()
        graphs.append(_written(folder, traced[1], "int8", choice.model))
        auto += ["int8"] if choice.loss <= MOST_LOSS else []
    return write_manifest(replace(bundle, graphs=tuple(graphs), precisions_for_auto=tuple(auto)), folder)


def need_precisions(trained: Trained, precisions: Iterable[str]) -> None:
    """Refuse what these networks do not come in.

    Raises:
        SettingError: int8 is wanted of networks that normalise by what they see, which eight bits are too coarse for.
    """
    if "int8" in precisions and trained.kind != KIND:
        raise SettingError(f"--precision int8 is for models of kind {KIND}, got {trained.kind}; take fp32 or fp16")


def _bundle(folder: Path, trained: Trained, words: Words, graphs: list[Graph]) -> Bundle:
    return Bundle(
        folder,
        name=words.name,
        kind=trained.kind,
        size=trained.size,
        side=trained.side,
        parsing=PARTS,
        licence=words.licence,
        version=words.version,
        commit=words.commit,
        trained_on=words.trained_on,
        losses=words.losses,
        graphs=tuple(graphs),
        view=trained.view,
    )


def _written(folder: Path, traced: Traced, precision: str, model: ModelProto) -> Graph:
    """The graph whose file is now there; its hash comes with the manifest."""
    suffix = "" if precision == "fp32" else f".{precision}"
    path = folder / f"{traced.name}{suffix}.onnx"
    path.write_bytes(model.SerializeToString(deterministic=True))
    return Graph(traced.name, precision, path, "", traced.inputs, traced.outputs)
