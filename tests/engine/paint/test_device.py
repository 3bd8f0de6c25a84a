"""The painter on a device: what it gives the network is what it gives it on the host, and little travels."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from tests.engine.device.stand_in import StandInDevice, StandInSession, stand_in

from mien.draw.mouth import mouth_hint
from mien.face.motion import Motion, identity_motion
from mien.face.pose import Angles
from mien.manifest import Bundle
from mien.paint import running
from mien.paint.painter import Paint, Painter
from mien.portrait.portrait import Portrait
from mien.posed import Painting
from mien.reenact.reenact import Reenact
from mien.runtime.opening import open_session
from mien.runtime.session import GraphSession
from mien_kernels import device as kernels

MOST_UP = 100_000
"""Bytes that a frame may bring to the device."""
ROUNDING = 2e-6
"""Of values around 1: the rasterisers of the two devices sum in another order (tests/kernels)."""
STILL = identity_motion()


def _opened(bundle: Bundle, graph: str) -> GraphSession:
    return open_session(bundle, graph, "onnxruntime", "fp32", 1)


def _on_device(bundle: Bundle, device: StandInDevice, graph: str) -> GraphSession:
    session = _opened(bundle, graph)
    return StandInSession(session, device) if bundle.runs(graph) == "frame" else session


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInDevice]:
    with stand_in(monkeypatch) as device:
        yield device


def motions(portraits: dict[str, Portrait]) -> Iterator[Motion]:
    driver = portraits["teo"]
    hint = mouth_hint(driver.pixels, driver.landmarks)
    for step in range(4):
        turn = Angles(4.0 * step, -3.0, 2.0 * step)
        lids = np.full_like(STILL.lids, 0.03 * step)
        yield replace(STILL, turn=turn, lids=lids, lips=np.full(9, 0.1 * step), hint=hint if step % 2 else None)


def paintings(portrait: Portrait, painter: Painter, motions: Iterator[Motion]) -> Iterator[Painting]:
    reenact, paint = Reenact((portrait,)), Paint((portrait,), painter)
    for motion in motions:
        (painting,) = paint(reenact(motion, 0.0))
        assert painting is not None
        yield painting


def test_the_network_is_given_on_the_device_what_it_is_given_on_the_host(
    portrait: Portrait, portraits: dict[str, Portrait], whole_bundle: Bundle, device: StandInDevice
) -> None:
    here = Painter(whole_bundle, partial(_opened, whole_bundle))
    there = Painter(whole_bundle, partial(_on_device, whole_bundle, device))
    assert there.notes == ()
    pairs = zip(
        paintings(portrait, here, motions(portraits)), paintings(portrait, there, motions(portraits)), strict=True
    )
    for expected, painting in pairs:
        for spec in whole_bundle.graph("generator").inputs:
            given, wanted = there.session.inputs[spec.name], here.session.inputs[spec.name]
            tolerance = ROUNDING if spec.warped or spec.role == "parsing" else 0
            np.testing.assert_allclose(given, wanted, rtol=0, atol=tolerance, err_msg=spec.role)
        assert np.abs(painting.generated.astype(int) - expected.generated).max() <= 1
        np.testing.assert_allclose(painting.mask, expected.mask, rtol=0, atol=ROUNDING)
        np.testing.assert_array_equal(painting.matrix, expected.matrix)


def test_little_goes_up_and_the_painting_comes_down(
    portrait: Portrait, portraits: dict[str, Portrait], whole_bundle: Bundle, device: StandInDevice
) -> None:
    painter = Painter(whole_bundle, partial(_on_device, whole_bundle, device))
    frames = [replace(device.counts) for _ in paintings(portrait, painter, motions(portraits))]
    side = painter.bundle.side
    for before, after in itertools.pairwise(frames):
        assert 0 < after.uploaded - before.uploaded < MOST_UP
        assert after.downloaded - before.downloaded == side * side * (3 + 4), "picture and mask"
        assert after.waits - before.waits == 1
        assert after.allocations == before.allocations


def test_two_portraits_in_turns_come_to_the_device_once(
    portraits: dict[str, Portrait], whole_bundle: Bundle, device: StandInDevice
) -> None:
    painter = Painter(whole_bundle, partial(_on_device, whole_bundle, device))
    frames = []
    in_turns = [paintings(portraits[name], painter, motions(portraits)) for name in ("mira", "teo")]
    for _ in zip(*in_turns, strict=True):
        frames.append(replace(device.counts))
    for before, after in itertools.pairwise(frames):
        assert after.uploaded - before.uploaded < 2 * MOST_UP
        assert after.allocations == before.allocations


def test_without_cuda_kernels_the_processor_fills_the_inputs_and_says_so(
    portrait: Portrait, portraits: dict[str, Portrait], whole_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mien_kernels._cuda", None)
    kernels.native.cache_clear()
    painter = Painter(whole_bundle, partial(_on_device, whole_bundle, StandInDevice()))
    (note,) = painter.notes
    assert note.startswith("tensorrt: inputs are filled on the processor: CUDA kernels: this build has none")
    (painting,) = list(paintings(portrait, painter, itertools.islice(motions(portraits), 1)))
    assert painting.generated.any()


def test_on_a_device_of_torch_the_network_is_given_the_same(
    portrait: Portrait, portraits: dict[str, Portrait], whole_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `torch`")
    from mien_export.graphs.torch_graph import TorchGraph
    from mien_export.torch_backend import TorchDevice, TorchDeviceSession

    def opened(graph: str) -> GraphSession:
        if whole_bundle.runs(graph) != "frame":
            return _opened(whole_bundle, graph)
        found = whole_bundle.graph(graph)
        return TorchDeviceSession(found, TorchGraph(found.path).eval(), TorchDevice(torch.device("cpu")))

    monkeypatch.setattr(running, "native", lambda: None)  # arrays of torch on the processor are the host's
    here, there = Painter(whole_bundle, partial(_opened, whole_bundle)), Painter(whole_bundle, opened)
    assert there.notes == ()
    pairs = zip(
        paintings(portrait, here, motions(portraits)), paintings(portrait, there, motions(portraits)), strict=True
    )
    for expected, painting in pairs:
        for name, given in there.session.device_inputs.items():  # type: ignore[attr-defined]
            np.testing.assert_array_equal(given.numpy(), here.session.inputs[name], err_msg=name)
        assert np.abs(painting.generated.astype(int) - expected.generated).max() <= 1
