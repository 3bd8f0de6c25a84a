from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mien.errors import ModelError
from mien.manifest import MANIFEST, Bundle, read_bundle
from mien.manifest.family import RUNS

Change = Callable[[str], str]

PARSED = 'role = "parsing"\nshape = ["batch", 9, 64, 64]'
HINTED = 'role = "hint"\nshape = ["batch", 3, 64, 64]'


def changed(bundle: Bundle, old: str, new: str, times: int = 1) -> None:
    path = bundle.folder / MANIFEST
    text = path.read_text()
    assert text.count(old) >= times
    path.write_text(text.replace(old, new, times))


def test_a_whole_bundle_is_read(bundle: Bundle) -> None:
    assert (bundle.name, bundle.kind, bundle.size, bundle.side) == ("tiny", "oneshot-live", "xs", 64)
    assert (bundle.family, bundle.main) == ("oneshot", "generator")
    assert [bundle.names(runs) for runs in RUNS] == [("appearance",), ("generator",), ()]
    assert bundle.precisions("generator") == ("fp32", "int8", "fp16")
    assert bundle.precisions_for_auto == ("fp32",)
    graph = bundle.graph("generator", "int8")
    assert graph.path == bundle.folder / "generator.int8.onnx"
    assert graph.sha256 == hashlib.sha256(graph.path.read_bytes()).hexdigest()
    assert [tensor.role for tensor in graph.inputs] == ["feature", "feature", "parsing", "warped", "hint"]
    assert graph.inputs[0].warped
    assert graph.inputs[0].sized(3) == (3, 4, 8, 8)


def test_a_coarser_parsing_map_is_right_where_the_graph_takes_it(bundle: Bundle) -> None:
    changed(bundle, PARSED, PARSED.replace("64", "16"), times=3)
    with pytest.raises(
        ModelError, match=r"expected parsing to be float32 .*16, 16\] as in the manifest, got .*64, 64\]"
    ):
        read_bundle(bundle.folder)


def test_a_manifest_that_was_saved_by_an_editor_of_windows_is_read(bundle: Bundle) -> None:
    """With a byte order mark, and carriage returns at the ends of lines."""
    path = bundle.folder / MANIFEST
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_bundle(bundle.folder).digest == bundle.digest


def test_digest_tells_what_is_computed_not_where_it_lies(bundle: Bundle, whole_bundle: Bundle) -> None:
    assert bundle.digest == whole_bundle.digest
    changed(bundle, 'licence = "CC0-1.0"', 'licence = "MIT"')
    assert read_bundle(bundle.folder).digest == whole_bundle.digest


def test_a_graph_that_is_not_there_is_told_with_those_that_are(bundle: Bundle) -> None:
    with pytest.raises(ModelError, match=r"expected a graph appearance in int8, got appearance fp32, generator fp32"):
        bundle.graph("appearance", "int8")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("format = 2", "format = 3", "expected format = 2, or 1, got 3"),
        ("format = 2", "", "expected format = 2, or 1, got None"),
        ("format = 2", "format = true", "expected format = 2, or 1, got True"),
        ("format = 2", "format = ", "expected TOML, got something else"),
        ("format = 2", "format = 1", "expected the key 'parsing', got none"),
        ('family = "oneshot"\n', "", "expected the key 'family', got none"),
        ('family = "oneshot"', "family = 1", "family must be a str, got 1"),
        ('runs = "once"\n', "", "expected the key 'runs', got none"),
        ('runs = "once"', 'runs = "twice"', "runs must be one of once, frame, request, got 'twice'"),
        ('runs = "once"', 'runs = "frame"', "runs must be 'once', as in the family oneshot, got 'frame'"),
        ('size = "xs"', 'size = "xs"\nplugin = "evil.so"', "unknown key 'plugin'"),
        ('role = "hint"', 'role = "hint"\ncode = "x"', "tensor hint: unknown key 'code'"),
        ('licence = "CC0-1.0"\n', "", "expected the key 'licence'"),
        ("side = 64", 'side = "64"', "side must be a int, got '64'"),
        ("side = 64", "side = true", "side must be a int, got True"),
        ("side = 64", "side = 100", "side must be a multiple of 32 from 64 to 1024, got 100"),
        ("side = 64", "side = 128", "shape of the role picture must be ['batch', 3, 128, 128]"),
        (PARSED, PARSED.replace("64", "48"), "must be ['batch', 9, 64, 64], or a half, a quarter of its size, got"),
        (HINTED, HINTED.replace("64", "32"), "shape of the role hint must be ['batch', 3, 64, 64], got"),
        ('name = "tiny"', 'name = "../tiny"', "name must look like"),
        ('kind = "oneshot-live"', 'kind = "spade-video"', "kind must be one of oneshot-live, oneshot-paper"),
        ('"face", "brows"', '"brows", "face"', "classes must name the channels face, brows, eyes"),
        ('precisions_for_auto = ["fp32"]', 'precisions_for_auto = ["fp8"]', "precisions_for_auto must be of fp32"),
        ('precisions_for_auto = ["fp32"]', "precisions_for_auto = [8]", "precisions_for_auto must be a list of names"),
        ('name = "generator"', 'name = "critic"', "a graph's name must be one of appearance, generator, got 'critic'"),
        ('precision = "int8"', 'precision = "int4"', "precision must be one of fp32, fp16, int8, got 'int4'"),
        ('precision = "int8"', 'precision = "fp16"', "graph generator fp16 is listed 2 times"),
        ('precision = "fp32"', 'precision = "int8"', "expected a graph appearance in fp32"),
        ('role = "picture"', 'role = "mask"', "role must be one of picture, portrait_parsing, got 'mask'"),
        ('role = "portrait_parsing"', 'role = "picture"', "expected one tensor with the role picture, got 2"),
        ('role = "picture"', 'role = "portrait_parsing"', "expected one tensor with the role portrait_parsing, got 2"),
        ('["batch", 3, 64, 64]', "[1, 3, 64, 64]", 'shape must be ["batch", channels, height, width]'),
        ('["batch", 3, 64, 64]', '["batch", 3, "h", 64]', "sizes after the batch must be positive whole numbers"),
        ('["batch", 3, 64, 64]', "[0.5]", "shape must be of whole numbers"),
        ('["batch", 4, 8, 8]', '["batch", 5, 8, 8]', "fp16: expected inputs and outputs as in fp32 but for the dtype"),
        ('dtype = "float32"', 'dtype = "float16"', "dtype must be float32, got 'float16'"),
        ("range = [-1.0, 1.0]", "range = [0.0, 1.0]", "range of the role picture must be [-1.0, 1.0], got [0.0, 1.0]"),
        ("range = [-1.0, 1.0]\n", "", "range of the role picture must be [-1.0, 1.0], got none"),
        ("range = [-1.0, 1.0]", "range = [1.0]", "range must be two numbers, got [1.0]"),
        (
            "warped = true",
            "range = [2, 1]\nwarped = true",
            "tensor f8: range must be [least, greatest], got [2.0, 1.0]",
        ),
        ('role = "picture"', 'role = "picture"\nwarped = true', "a tensor of the role picture cannot be warped"),
        ('name = "parsing"', 'name = "picture"', "tensor picture is listed 2 times"),
        (
            "side = 64",
            "side = 64\nview = [0, 0, 64]",
            "view must be four whole numbers: x, y, width, height; got [0, 0",
        ),
        ("side = 64", "side = 64\nview = [0, 0, 64, 64.0]", "view must be four whole numbers"),
        ("side = 64", "side = 64\nview = [0, 8, 64, 48]", "view must be of multiples of 16, got [0, 8, 64, 48]"),
        (
            "side = 64",
            "side = 64\nview = [16, 0, 64, 64]",
            "view must be x, y, width and height of a part of a crop of",
        ),
        (
            "side = 64",
            "side = 64\nview = [-16, 0, 32, 64]",
            "view must be x, y, width and height of a part of a crop of",
        ),
        ("side = 64", "side = 64\nview = [0, 0, 0, 64]", "view must be x, y, width and height of a part of a crop of"),
        ("side = 64", "side = 64\nview = [16, 0, 32, 48]", "role parsing must be ['batch', 9, 48, 32], or a half"),
    ],
)
def test_a_manifest_that_breaks_the_contract_is_refused(bundle: Bundle, old: str, new: str, reason: str) -> None:
    changed(bundle, old, new)
    with pytest.raises(ModelError) as refused:
        read_bundle(bundle.folder)
    message = str(refused.value)
    assert reason in message
    assert str(bundle.folder) in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "where", ["picture.onnx", "sub/generator.onnx", "../generator.onnx", "/etc/hosts.onnx", "a\\b.onnx", ""]
)
def test_files_elsewhere_are_refused(bundle: Bundle, where: str) -> None:
    changed(bundle, '"generator.int8.onnx"', repr(where))
    expected = "expected the file that the manifest names" if where == "picture.onnx" else "right in the folder"
    with pytest.raises(ModelError, match=expected):
        read_bundle(bundle.folder)


def test_a_file_of_another_kind_is_refused(bundle: Bundle) -> None:
    changed(bundle, '"generator.int8.onnx"', '"generator.int8.so"')
    with pytest.raises(ModelError, match=r"must be the name of an \.onnx file"):
        read_bundle(bundle.folder)


def test_links_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    path = bundle.graph("generator").path
    os.replace(path, tmp_path / "elsewhere.onnx")
    path.symlink_to(tmp_path / "elsewhere.onnx")
    with pytest.raises(ModelError, match=r"generator\.fp32\.onnx: expected a file of the bundle itself, got a link"):
        read_bundle(bundle.folder)


@pytest.mark.parametrize("damage", [lambda b: b[:-20], lambda b: b[:-1] + b"\0", lambda b: b + b"\0"])
def test_a_changed_file_is_refused_by_its_hash(bundle: Bundle, damage: Callable[[bytes], bytes]) -> None:
    path = bundle.graph("generator", "int8").path
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=r"generator\.int8\.onnx: expected sha256 [0-9a-f]{12}\.\.\., got"):
        read_bundle(bundle.folder)


def test_an_empty_file_is_refused(bundle: Bundle) -> None:
    bundle.graph("generator").path.write_bytes(b"")
    with pytest.raises(ModelError, match="expected 1 to 2147483647 bytes, got 0"):
        read_bundle(bundle.folder)


def test_folders_without_a_manifest_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected the folder of a model bundle, got none"):
        read_bundle(tmp_path / "nowhere")
    (bundle.folder / MANIFEST).unlink()
    with pytest.raises(ModelError, match=r"expected a model bundle with a manifest\.toml, got none there"):
        read_bundle(bundle.folder)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[" * 5000, b"a" * (1 << 20) + b"a"], ids=["bytes", "deep", "long"])
def test_manifests_that_are_no_text_are_refused(bundle: Bundle, content: bytes) -> None:
    (bundle.folder / MANIFEST).write_bytes(content)
    with pytest.raises(ModelError, match=r"expected (TOML|at most 1048576 bytes)"):
        read_bundle(bundle.folder)


def test_a_file_must_take_what_the_manifest_says(bundle: Bundle) -> None:
    changed(bundle, 'name = "picture"', 'name = "photo"', times=2)
    with pytest.raises(ModelError, match=r"inputs: expected photo, parsing as in the manifest, got picture, parsing"):
        read_bundle(bundle.folder)
