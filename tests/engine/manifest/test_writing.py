from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mien.errors import ModelError
from mien.manifest import MANIFEST, Bundle, TensorSpec, read_bundle, write_manifest
from mien.plane import Box


def with_generators(bundle: Bundle, **changes: object) -> Bundle:
    """The bundle with the first input of the generator changed, in all precisions."""
    graphs = []
    for graph in bundle.graphs:
        first, *others = graph.inputs
        if graph.name == "generator":
            graph = replace(graph, inputs=(replace(first, **changes), *others))  # type: ignore[arg-type]
        graphs.append(graph)
    return replace(bundle, graphs=tuple(graphs))


def test_what_is_written_is_read_back(bundle: Bundle) -> None:
    odd = replace(
        bundle, trained_on='1,036 "people",\ttabs\n\\ and \x7f, größer', precisions_for_auto=("fp32", "int8"), size="m"
    )
    written = write_manifest(odd, bundle.folder)
    assert written == odd
    assert read_bundle(bundle.folder) == odd


def seeing(bundle: Bundle, view: Box) -> Bundle:
    """The bundle with graphs by other hands, whose generator sees a part of the crop."""
    from onnx import load, save

    graphs = []
    for graph in bundle.graphs:
        if graph.name == "generator":
            model = load(graph.path)
            sizes = {"f8": (view.height // 8, view.width // 8), "f16": (view.height // 4, view.width // 4)}
            for port in (*model.graph.input, *model.graph.output):
                _, _, height, width = port.type.tensor_type.shape.dim
                height.dim_value, width.dim_value = sizes.get(port.name, view.shape)
            save(model, graph.path)
            parts = [
                tuple(replace(t, shape=(*t.shape[:2], *sizes.get(t.name, view.shape))) for t in tensors)
                for tensors in (graph.inputs, graph.outputs)
            ]
            graph = replace(graph, inputs=parts[0], outputs=parts[1])
        graphs.append(graph)
    return replace(bundle, graphs=tuple(graphs), view=view)


def test_a_view_is_written_and_read_back(bundle: Bundle) -> None:
    part = seeing(bundle, Box(16, 16, 32, 48))
    written = write_manifest(part, bundle.folder)
    assert read_bundle(bundle.folder) == written
    assert (written.view, written.seen.area) == (part.view, (slice(16, 64), slice(16, 48)))
    assert (bundle.view, bundle.seen) == (None, Box(0, 0, 64, 64))


def test_what_is_not_warped_wants_the_whole_crop(bundle: Bundle) -> None:
    part = seeing(bundle, Box(16, 16, 32, 48))

    def fixed(tensors: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
        return tuple(replace(tensor, warped=False) for tensor in tensors)

    graphs = tuple(replace(g, inputs=fixed(g.inputs), outputs=fixed(g.outputs)) for g in part.graphs)
    with pytest.raises(ModelError, match=r"f8 is not warped to a view, so generator needs the whole crop, got"):
        write_manifest(replace(part, graphs=graphs), bundle.folder)


def test_hashes_come_from_the_files(bundle: Bundle) -> None:
    (bundle.folder / MANIFEST).unlink()
    unhashed = tuple(replace(graph, sha256="", path=Path(graph.path.name)) for graph in bundle.graphs)
    assert write_manifest(replace(bundle, graphs=unhashed), bundle.folder) == bundle


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"shape": ("batch", 5, 8, 8)}, r"tensors must leave appearance as they enter generator.*; f8 differ"),
        ({"warped": False}, r"tensors must leave appearance as they enter generator.*; f8 differ"),
        (
            {"role": "latent", "warped": False},
            r"tensors must leave appearance as they enter generator.*; f8 differ",
        ),
        ({"name": "f9"}, r"tensors must leave appearance as they enter generator.*; f8, f9 differ"),
    ],
)
def test_graphs_that_do_not_hang_together_are_refused(bundle: Bundle, changes: dict[str, object], reason: str) -> None:
    before = (bundle.folder / MANIFEST).read_bytes()
    with pytest.raises(ModelError, match=reason):
        write_manifest(with_generators(bundle, **changes), bundle.folder)
    assert (bundle.folder / MANIFEST).read_bytes() == before


def test_a_graph_that_is_not_what_is_said_is_refused(bundle: Bundle) -> None:
    def wider(tensors: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
        return tuple(replace(t, shape=("batch", 5, 8, 8)) if t.name == "f8" else t for t in tensors)

    graphs = tuple(replace(g, inputs=wider(g.inputs), outputs=wider(g.outputs)) for g in bundle.graphs)
    with pytest.raises(ModelError, match=r"f8 to be float32 \['batch', 5, 8, 8\] as in the manifest, got float32 \["):
        write_manifest(replace(bundle, graphs=graphs), bundle.folder)


def test_a_bad_name_is_refused_and_nothing_is_written(bundle: Bundle) -> None:
    (bundle.folder / MANIFEST).unlink()
    with pytest.raises(ModelError, match="name must look like"):
        write_manifest(replace(bundle, name="Größe"), bundle.folder)
    assert not list(bundle.folder.glob("*manifest*"))


def test_a_write_that_fails_leaves_what_was_there(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(os.listdir(bundle.folder))
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ModelError, match="No space left on device"):
        write_manifest(replace(bundle, licence="MIT"), bundle.folder)
    assert sorted(os.listdir(bundle.folder)) == before
    assert read_bundle(bundle.folder) == bundle
