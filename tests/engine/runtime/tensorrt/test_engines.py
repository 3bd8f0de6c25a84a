from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mien.errors import BackendError
from mien.machine.gpu import Gpu
from mien.manifest import Graph
from mien.runtime.cache import Cache, key_of
from mien.runtime.tensorrt.engines import BackgroundBuild, BuildProgress, build_engine, facts, kept_engine

GPU = Gpu("A GPU", (9, 0), "13000 580.1")


def silent(phase: str, share: float) -> None:
    pass


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def built(graph: Graph, cache: Cache, device: Gpu = GPU) -> bytes:
    return build_engine(graph, 1, device, cache, BuildProgress(silent))


def test_an_engine_is_built_once_and_kept(graph: Graph, cache: Cache, told: Any) -> None:
    assert kept_engine(graph, 1, GPU, cache) is None
    assert built(graph, cache) == b"plan" == kept_engine(graph, 1, GPU, cache)
    assert built(graph, cache) == b"plan"
    assert told.builds_begun == 1
    assert told.flags == 1 << 1, "the flag's own number, which 10 and 11 do not share"


def test_the_next_build_on_this_device_has_the_timings(graph: Graph, cache: Cache, told: Any) -> None:
    built(graph, cache)
    built(graph, cache, replace(GPU, driver="13000 590.1"))
    built(graph, cache, replace(GPU, name="Another"))
    assert told.timings_given == [b"", b"timings", b""]


def test_timings_that_do_not_fit_are_left_out(graph: Graph, cache: Cache, told: Any) -> None:
    built(graph, cache)
    told.bad_timings = b"timings"
    assert built(graph, cache, replace(GPU, driver="other")) == b"plan"
    assert told.timings_given == [b"", b"timings", b""]


def test_whatever_an_engine_hangs_on_changes_its_key(graph: Graph, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from mien.runtime.tensorrt import build

    def key(graph: Graph = graph, batch: int = 1, device: Gpu = GPU, image: bytes = b"") -> str:
        return key_of(facts(graph, batch, device, image))

    keys = [
        key(),
        key(replace(graph, sha256="0" * 64)),
        key(batch=2),
        key(device=replace(GPU, name="Another")),
        key(device=replace(GPU, capability=(8, 9))),
        key(device=replace(GPU, driver="older")),
        key(image=b"ptx"),
        key(image=b"other ptx"),
    ]
    for name, value in {"VERSION": "10.13", "FLAGS": ("TF32",), "LEVEL": 5, "WORKSPACE": 1}.items():
        monkeypatch.setattr(build, name, value)
        keys.append(key())
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("types", ["Float", "Row major linear FP32", "Int8"])
def test_an_engine_that_is_not_in_fp16_is_refused_and_not_kept(
    graph: Graph, cache: Cache, told: Any, tmp_path: Path, types: str
) -> None:
    told.types = types
    with pytest.raises(BackendError, match=r"expected at least 50% of the layers in fp16, got 0%"):
        built(graph, cache)
    assert not list(tmp_path.rglob("*.engine"))


def test_builds_that_fail_are_told_on_one_line(graph: Graph, cache: Cache, told: Any, tmp_path: Path) -> None:
    told.builds = False
    with pytest.raises(BackendError, match=r"the engine was not built: no tactic found$"):
        built(graph, cache)
    told.parses = False
    with pytest.raises(BackendError, match=r"the graph cannot be parsed: node 3: unsupported$"):
        built(graph, cache)
    assert not list(tmp_path.rglob("*.engine"))


def test_a_build_in_the_background_tells_how_far_it_is(graph: Graph, cache: Cache, told: Any) -> None:
    shares = []
    build = BackgroundBuild(graph, 1, GPU, cache, lambda phase, share: shares.append((phase, share)))
    assert build.plan() == b"plan"
    assert build.done
    assert shares == [("building", 0.0), ("building", 0.5), ("building", 1.0)]


def test_a_build_in_the_background_can_be_stopped(graph: Graph, cache: Cache, told: Any, tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait(phase: str, share: float) -> None:
        begun.set()
        go_on.wait(10)

    build = BackgroundBuild(graph, 1, GPU, cache, wait)
    begun.wait(10)
    assert not build.done
    stopping = threading.Thread(target=build.stop)
    stopping.start()
    build._progress._stopped.wait(10)
    go_on.set()
    stopping.join(10)
    with pytest.raises(BackendError, match="the engine was not built: it was stopped"):
        build.plan()
    assert not list(tmp_path.rglob("*.engine"))


def test_an_error_in_the_background_is_told_to_who_asks(
    graph: Graph, cache: Cache, told: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(phase: str, share: float) -> None:
        raise ValueError("unforeseen")

    with pytest.raises(BackendError, match=r"the build failed \(ValueError: unforeseen\)"):
        BackgroundBuild(graph, 1, GPU, cache, broken).plan()
