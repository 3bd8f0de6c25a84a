"""A family is data that bundles are checked against; packages add families by entry points, bundles never do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from mien.errors import ModelError
from mien.face.topology import PARTS
from mien.manifest import MANIFEST, Bundle, Family, Graph, GraphRule, Link, Port, TensorSpec, family_named, read_bundle
from mien.manifest.families import FAMILIES, GROUP, ONESHOT
from mien.manifest.family import SIGNED, UNIT
from mien.manifest.rules import check

FORMAT_1 = Path(__file__).with_name("format-1.toml")
PICTURE, LABELS = Port("picture", 3, "crop", SIGNED), Port("labels", 19, "crop", UNIT)
GENERATED = Port("generated", 3, "crop", SIGNED)
CLASSES = tuple(f"class{k}" for k in range(19))
TO_COME = (
    Family(
        "landmark-unet",
        graphs=(GraphRule("generator", "frame", (PICTURE, Port("heat_maps", 68, "crop", UNIT)), (GENERATED,)),),
    ),
    Family(
        "spade-video",
        graphs=(
            GraphRule("encoder", "once", (PICTURE,), (Port("style_code", 256, "vector"),)),
            GraphRule("segmenter", "frame", (PICTURE,), (LABELS,)),
            GraphRule("generator", "frame", (LABELS, Port("style_code", 256, "vector")), (GENERATED,)),
        ),
        links=(
            Link("encoder", "generator", frozenset({"style_code"})),
            Link("segmenter", "generator", frozenset({"labels"})),
        ),
        classes=CLASSES,
    ),
    Family("style", graphs=(GraphRule("stylise", "frame", (PICTURE,), (GENERATED,)),), stage="style"),
    Family(
        "scgan",
        graphs=(
            GraphRule(
                "generator",
                "request",
                (LABELS, Port("latent", None, "vector"), Port("attributes", "attributes", "vector", UNIT)),
                (GENERATED,),
            ),
        ),
        classes=CLASSES,
        attributes=("smiling", "young", "hat"),
    ),
)
"""Of the systems to come: each can be said as data."""


def bundle_of(family: Family, **changes: object) -> Bundle:
    """A bundle of a family in memory, with one tensor for each port."""
    graphs = tuple(
        Graph(rule.name, "fp32", Path("a.onnx"), "", _tensors(rule.inputs), _tensors(rule.outputs), rule.runs)
        for rule in family.graphs
    )
    attributes = ("scream", "wave") if family.attributes is None else family.attributes[:2]
    bundle = Bundle(
        Path(), "a", family.name, family.all_kinds[0], "s", 64, "", "", "", "", "", graphs, family.classes, attributes
    )
    return replace(bundle, **changes)  # type: ignore[arg-type]


def _tensors(ports: tuple[Port, ...]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(
            port.role,
            port.role,
            ("batch", 2 if port.channels in ("attributes", None) else port.channels)
            + ((64, 64) if port.extent != "vector" else ()),
            range=port.range,
        )
        for port in ports
    )


@pytest.mark.parametrize("family", [*FAMILIES.values(), *TO_COME], ids=lambda family: family.name)
def test_one_code_checks_bundles_of_all_families(family: Family) -> None:
    check(bundle_of(family), family, "here")


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("spade-video", {"classes": CLASSES[::-1]}, "classes must name the channels class0, class1"),
        ("style", {"classes": PARTS}, "classes must name the channels none, got face, brows"),
        ("scgan", {"attributes": ("smiling", "rich")}, "attributes must be of smiling, young, hat, got rich"),
        ("scgan", {"attributes": ("hat",)}, r"of the role attributes must be ['batch', 1], got ['batch', 2]"),
        ("style", {"kind": "other"}, "kind must be one of style, got 'other'"),
    ],
)
def test_what_a_family_demands_is_checked(name: str, changes: dict[str, object], reason: str) -> None:
    (family,) = (family for family in TO_COME if family.name == name)
    with pytest.raises(ModelError, match=re.escape(reason)):
        check(bundle_of(family, **changes), family, "here")


def test_a_vector_has_no_height_and_width() -> None:
    (family,) = (family for family in TO_COME if family.name == "spade-video")
    bundle = bundle_of(family)
    encoder, *others = bundle.graphs
    code = replace(encoder.outputs[0], shape=("batch", 256, 1, 1))
    with pytest.raises(ModelError, match=r'shape must be \["batch", channels\], got \[\'batch\', 256, 1, 1\]'):
        check(replace(bundle, graphs=(replace(encoder, outputs=(code,)), *others)), family, "here")


def test_graphs_of_a_frame_are_listed_as_they_run() -> None:
    (family,) = (family for family in TO_COME if family.name == "spade-video")
    bundle = bundle_of(family)
    assert bundle.main == "generator"
    with pytest.raises(ModelError, match="graphs must be listed in the order segmenter, generator, got generator, seg"):
        check(replace(bundle, graphs=bundle.graphs[::-1]), family, "here")


def test_rules_that_contradict_each_other_are_refused() -> None:
    rule = GraphRule("a", "frame", (PICTURE,), (GENERATED,))
    for graphs in ((), (rule, rule)):
        with pytest.raises(ValueError, match="expected graphs of different names"):
            Family("odd", graphs)
    with pytest.raises(ValueError, match=r"graph b has no outputs of the roles \['generated'\]"):
        Family("odd", (rule,), (Link("b", "a", frozenset({"generated"})),))
    with pytest.raises(ValueError, match=r"graph a has no inputs of the roles \['generated'\]"):
        Family("odd", (rule,), (Link("a", "a", frozenset({"generated"})),))


def test_a_bundle_of_format_1_reads_as_one_of_format_2(bundle: Bundle) -> None:
    hashes = {graph.path.name: graph.sha256 for graph in bundle.graphs}
    text = re.sub(r"<sha256 of (.*?)>", lambda found: hashes[found[1]], FORMAT_1.read_text())
    (bundle.folder / MANIFEST).write_text(text)
    assert read_bundle(bundle.folder) == bundle
    (bundle.folder / MANIFEST).write_text(text.replace('"generator"', '["generator"]', 1))
    with pytest.raises(ModelError, match="name must be a str"):
        read_bundle(bundle.folder)


def test_an_unknown_family_is_told_in_one_line(bundle: Bundle) -> None:
    manifest = bundle.folder / MANIFEST
    manifest.write_text(manifest.read_text().replace('family = "oneshot"', 'family = "sketch"'))
    with pytest.raises(ModelError) as refused:
        read_bundle(bundle.folder)
    assert str(refused.value) == (
        f"{manifest}: family must be one of {', '.join(FAMILIES)}, got 'sketch'; "
        "install the package that adds it to mien"
    )


def installed(folder: Path, value: str, name: str = "sketch") -> None:
    """A package in `folder` whose entry point of the group of families leads to `value`."""
    about = folder / "sketcher-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: sketcher\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {value}\n")
    (folder / "sketcher_of_tests.py").write_text(
        "from mien.manifest.family import Family, GraphRule\n"
        "SKETCH = Family('sketch', (GraphRule('draw', 'frame', (), ()),))\n"
    )


def test_an_installed_package_adds_a_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "sketcher_of_tests:SKETCH")
    monkeypatch.syspath_prepend(tmp_path)
    assert family_named("sketch").graphs[0].name == "draw"
    assert family_named("oneshot") is ONESHOT
    with pytest.raises(ModelError, match=f"family must be one of {', '.join(FAMILIES)}, sketch, got 'other'"):
        family_named("other")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("nowhere_to_be_found:SKETCH", "expected the package sketcher to bring it, got an error as it was loaded"),
        ("sketcher_of_tests:OTHER", "expected the package sketcher to bring it, got an error as it was loaded"),
        ("sketcher_of_tests:Family", "expected the entry point of mien.families to lead to this Family, got <class"),
    ],
)
def test_an_entry_point_that_leads_nowhere_is_told(
    value: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, value)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelError, match=reason):
        family_named("sketch")
