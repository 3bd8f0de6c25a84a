"""What training shows the networks is what the engine will give them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mien.face.crop import SIDE, crop_matrix
from mien.manifest import Bundle, Graph, TensorSpec
from mien.paint.painter import Painter
from mien.plane import Box
from mien.portrait.portrait import Portrait
from mien.reenact.reenact import Puppet
from mien.reenact.target import target_of
from mien_export.data.faces import Faces
from mien_export.data.hint import hint_of
from mien_export.data.pairs import Pair, absolute, pair_of, prepared, render
from mien_export.data.perturb import Perturbation, perturbed
from mien_export.families.oneshot_pairs import collate, to_batch, warp_features

WIDTHS = {"f16": (16, 6), "f32": (32, 5), "f64": (64, 4)}


class Still:
    """A random generator for which nothing is off."""

    def normal(self, mean: Any = 0.0, deviation: Any = 1.0, size: Any = None) -> Any:
        return np.zeros(size) if size is not None else 0.0


class Fake:
    """A session that computes nothing."""

    backend, precision, threads = "fake", "fp32", 1

    def __init__(self, graph: Graph) -> None:
        rng = np.random.default_rng(0)
        self.inputs = {spec.name: np.zeros(spec.sized(1), np.float32) for spec in graph.inputs}
        self.outputs = {spec.name: rng.random(spec.sized(1), dtype=np.float32) for spec in graph.outputs}

    def run(self) -> None:
        """Outputs are what they are."""

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    features = tuple(TensorSpec(n, "feature", ("batch", c, r, r), warped=True) for n, (r, c) in WIDTHS.items())

    def picture(role: str, channels: int) -> TensorSpec:
        return TensorSpec(role, role, ("batch", channels, SIDE, SIDE))

    graphs = (
        Graph(
            "appearance",
            "fp32",
            Path("a"),
            "",
            (picture("picture", 3), picture("portrait_parsing", 9)),
            features,
            "once",
        ),
        Graph(
            "generator",
            "fp32",
            Path("g"),
            "",
            (*features, picture("parsing", 9), picture("warped", 3), picture("hint", 3)),
            (picture("generated", 3), picture("mask", 1)),
            "frame",
        ),
    )
    return Bundle(Path(), "fake", "oneshot", "oneshot-live", "m", SIDE, "", "", "", "", "", graphs)


@pytest.fixture(scope="module")
def both(faces: Faces, bundle: Bundle) -> tuple[Pair, Painter, Any]:
    return _painted(faces, bundle)


def _painted(faces: Faces, bundle: Bundle) -> tuple[Pair, Painter, Any]:
    """A pair without jitter, and a painter that painted its target."""
    rng = np.random.default_rng(11)
    picture, landmarks = faces.picture(2), faces.landmarks(2)
    truth = prepared(picture, landmarks)
    moved = perturbed(truth, rng, None, Perturbation(yaw=9.0, pitch=5.0))  # a steeper flow rounds more
    seen: Portrait = prepared(render(truth, moved), moved.landmarks)
    hint = next(h for h in (hint_of(picture, landmarks, rng) for _ in range(20)) if h is not None)
    pair = pair_of(truth, seen, Still(), hint)  # type: ignore[arg-type]
    painter = Painter(bundle, lambda name: Fake(bundle.graph(name)))
    appearance = painter.appearance(seen)
    posed = Puppet(seen).pose(target_of(seen, absolute(truth.landmarks, picture.shape)), hint=hint)
    painter.paint(appearance, replace(posed, pose=truth.pose))
    return pair, painter, appearance


def test_pictures_and_parsing_maps_agree(both: tuple[Pair, Painter, Any]) -> None:
    pair, painter, appearance = both
    batch = to_batch(collate([pair]), torch.device("cpu"))
    np.testing.assert_array_equal(appearance.subject.crop, pair.source)
    for role in ("warped", "hint"):
        np.testing.assert_allclose(painter.session.inputs[role], getattr(batch, role).numpy(), atol=1.01 / 128)
    np.testing.assert_allclose(painter.session.inputs["parsing"], batch.parsing.numpy(), atol=0.51 / 255)


def test_a_generator_that_takes_a_coarser_map_is_given_its_means(faces: Faces, bundle: Bundle) -> None:
    half = tuple(_halved(spec) if spec.role == "parsing" else spec for spec in bundle.graph("generator").inputs)
    graphs = (bundle.graph("appearance"), replace(bundle.graph("generator"), inputs=half))
    fine, coarse = (_painted(faces, one)[1].session.inputs for one in (bundle, replace(bundle, graphs=graphs)))
    means = fine["parsing"].reshape(1, 9, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(3, 5))
    apart = np.abs(coarse["parsing"] - means)
    assert apart.mean() < 1e-3
    assert (apart > 0.05).mean() < 1e-3
    np.testing.assert_array_equal(coarse["warped"], fine["warped"])


def test_a_generator_that_sees_a_part_is_given_that_part(faces: Faces, bundle: Bundle) -> None:
    view = Box(32, 48, 160, 192)
    whole, seen = (_painted(faces, one)[1].session.inputs for one in (bundle, _seeing(bundle, view)))
    for name, array in whole.items():
        cell = SIDE // array.shape[-1]
        rows, columns = (slice(part.start // cell, part.stop // cell) for part in view.area)
        # What is erased is averaged over neighbours, of which a border has fewer.
        inner = slice(4, -4) if name == "warped" else slice(None)
        got, wanted = seen[name], array[..., rows, columns]
        apart = np.abs(got[..., inner, inner] - wanted[..., inner, inner])
        assert apart.max() < (1.01 / 128 if name in ("warped", "hint") else 2e-4)  # pictures are of bytes
        assert apart.mean() < 1e-5


def test_a_part_is_painted_where_it_lies(faces: Faces, bundle: Bundle) -> None:
    view = Box(16, 64, 192, 160)
    bundle = _seeing(bundle, view)
    painter = Painter(bundle, lambda name: Fake(bundle.graph(name)))
    portrait = prepared(faces.picture(2), faces.landmarks(2))
    target = target_of(portrait, absolute(portrait.landmarks, portrait.pixels.shape))
    painted = painter.paint(painter.appearance(portrait), Puppet(portrait).pose(target)).painting
    assert painted.generated.shape == (*view.shape, 3)
    assert painted.mask.shape == view.shape
    whole = crop_matrix(target.pose)
    np.testing.assert_allclose(painted.matrix, np.column_stack([whole[:, :2], whole[:, 2] - (view.x, view.y)]))


def _seeing(bundle: Bundle, view: Box) -> Bundle:
    """The bundle with a generator that sees a part of the crop."""

    def part(spec: TensorSpec) -> TensorSpec:
        shape = (int(n) * size // SIDE for n, size in zip(spec.shape[2:], view.shape, strict=True))
        return replace(spec, shape=(*spec.shape[:2], *shape))

    appearance, generator = bundle.graphs
    inputs, outputs = (tuple(map(part, specs)) for specs in (generator.inputs, generator.outputs))
    return replace(bundle, view=view, graphs=(appearance, replace(generator, inputs=inputs, outputs=outputs)))


def _halved(spec: TensorSpec) -> TensorSpec:
    return replace(spec, shape=(*spec.shape[:2], SIDE // 2, SIDE // 2))


def test_features_are_warped_alike(both: tuple[Pair, Painter, Any]) -> None:
    pair, painter, appearance = both
    features = tuple(torch.from_numpy(appearance.features[name].transpose(2, 0, 1)[None].copy()) for name in WIDTHS)
    flow = torch.from_numpy(pair.flow[None])
    for name, wanted in zip(WIDTHS, warp_features(features, flow), strict=True):
        np.testing.assert_allclose(painter.session.inputs[name], wanted.numpy(), atol=2e-4)
