"""The U-Net on landmarks from views of portraits to a bundle that drives a portrait."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from tests.engine.pipeline.fakes import NotingSink

from mien import samples
from mien.cli import main
from mien.config import ReenactSettings
from mien.errors import SettingError
from mien.face.points68 import MIRROR
from mien.frame import Frame
from mien.live.session import LiveRequest, LiveSession, open_live
from mien.manifest import read_bundle
from mien.paint import heat_maps as engine
from mien_export.data.faces import Faces
from mien_export.data.views import Views, load, make_views, save
from mien_export.families.landmark_unet.losses import Critic, UnetLosses, gram
from mien_export.families.landmark_unet.network import POINTS, SIZES, LandmarkUnet, heat_maps
from mien_export.families.landmark_unet.samples import Triplets, collate, mirrored
from mien_export.families.landmark_unet.step import UnetStep
from mien_export.families.registry import course_of, family_of, read_trained
from mien_export.graphs.parity import beyond, compare
from mien_export.graphs.writing import Words, write_bundle
from mien_export.train import checkpoint
from mien_export.train.course import Asked
from mien_export.train.extractors.vgg import random_vgg16
from mien_export.train.loop import LATEST, Run, train


@pytest.fixture(scope="module")
def views_file(faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    done: list[int] = []
    views = make_views(faces, 3, 64, 0, done.append)
    assert done == list(range(1, faces.count + 1))
    path = tmp_path_factory.mktemp("views") / "train.npz"
    save(path, views)
    return path


@pytest.fixture(scope="module")
def trained(views_file: Path, faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps."""
    out = tmp_path_factory.mktemp("run")
    history = train(
        course_of("landmark-unet-smoke", Asked(packed=views_file)),
        faces,
        0,
        Run(out, workers=0, threads=1),
        tell=io.StringIO(),
    )
    wanted = {"critic", "adversarial", "pixel", "itself", "triple", "perceptual", "identity"}
    assert [set(terms) for terms in history] == [wanted, wanted]
    assert all(np.isfinite(list(terms.values())).all() for terms in history)
    return out / LATEST


@pytest.fixture(scope="module")
def bundle(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    words = Words("landmark-unet", "CC0-1.0", "1", "0" * 40, "nothing", "none")
    write_bundle(folder, read_trained(trained), words, ("fp32",), None, 1, lambda _: None)
    return folder


def test_a_run_in_two_turns_is_equal_to_the_bit(trained: Path, views_file: Path, faces: Faces, tmp_path: Path) -> None:
    course = course_of("landmark-unet-smoke", Asked(packed=views_file))
    for until in (1, 2):
        train(course, faces, 0, Run(tmp_path, workers=0, threads=1, until=until), tell=io.StringIO())
        assert checkpoint.load(tmp_path / LATEST)["done"] == until
    whole, parts = (checkpoint.load(path)["step"] for path in (trained, tmp_path / LATEST))
    for part in ("network", "critic", "average"):
        for name, value in whole[part].items():
            assert torch.equal(value, parts[part][name]), name
    assert whole["averaged"] == parts["averaged"]


def test_views_are_of_one_person_and_have_their_points(views_file: Path, faces: Faces) -> None:
    views = load(views_file)
    assert views.pictures.shape == (faces.count, 3, 64, 64, 3)
    assert views.points.shape == (faces.count, 3, POINTS, 2)
    assert ((views.points > 0) & (views.points < 1)).all()
    own = np.abs(views.pictures[:, 0].astype(int) - views.pictures[:, 1]).mean()
    others = np.abs(views.pictures[:1, 0].astype(int) - views.pictures[1:, 0]).mean()
    assert own < others
    assert np.abs(views.points[:, 0] - views.points[:, 1]).max() > 1 / 64


def test_files_that_hold_no_views_are_refused(views_file: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="expected views of portraits, got none"):
        load(tmp_path / "none.npz")
    views = load(views_file)
    save(tmp_path / "two.npz", Views(views.pictures[:, :2], views.points[:, :2]))
    with pytest.raises(SettingError, match="expected 3 or more square views"):
        load(tmp_path / "two.npz")


def test_triplets_repeat_and_are_mirrored_together(views_file: Path) -> None:
    triplets = Triplets(views_file, seed=3)
    one, again = triplets(5), triplets(5)
    np.testing.assert_array_equal(one.pictures, again.pictures)
    other = mirrored(one)
    np.testing.assert_array_equal(other.pictures, one.pictures[:, :, ::-1])
    np.testing.assert_allclose(other.points[..., 0], 1 - one.points[:, list(MIRROR), 0])
    np.testing.assert_allclose(mirrored(other).points, one.points, atol=1e-6)
    raw = collate([one, again])
    assert raw["pictures"].shape == (2, 3, 64, 64, 3)
    assert raw["points"].shape == (2, 3, POINTS, 2)


@pytest.mark.parametrize("side", [64, 128])
def test_heat_maps_are_those_of_the_engine(side: int) -> None:
    points = np.random.default_rng(0).uniform(-0.05, 1.05, (POINTS, 2))
    wanted = np.empty((POINTS, side, side), np.float32)
    engine.heat_maps(points * side - 0.5, wanted)
    found = heat_maps(torch.from_numpy(points)[None], side)[0].numpy()
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    assert wanted.max() <= 1
    across = (wanted > 0).any(axis=1).sum(axis=1)
    assert across.max() == 7 * side // 64  # pixels of a Gaussian


@pytest.mark.parametrize("size", list(SIZES))
def test_every_size_gives_pictures(size: str) -> None:
    torch.manual_seed(0)
    network, side = LandmarkUnet(SIZES[size]).eval(), SIZES[size].side
    with torch.no_grad():
        picture = network(torch.zeros(1, 3, side, side), torch.zeros(1, POINTS, side, side))
        score = Critic()(picture, torch.zeros(1, POINTS, side, side))
    assert picture.shape == (1, 3, side, side)
    assert picture.abs().max() <= 1
    assert score.shape == (1,)


def test_gram_matrices_are_products_of_channels() -> None:
    features = torch.randn(2, 5, 4, 3)
    wanted = torch.einsum("nihw,njhw->nij", features, features) / (5 * 4 * 3)
    torch.testing.assert_close(gram(features), wanted)


def test_a_term_without_weight_is_not_computed_and_changes_nothing_else(views_file: Path) -> None:
    raw = collate([Triplets(views_file, seed=1)(number) for number in range(2)])
    features = random_vgg16(share=0.125)
    terms = {}
    for left_out in ("none", "adversarial", "itself", "triple", "perceptual", "identity"):
        losses = UnetLosses() if left_out == "none" else replace(UnetLosses(), **{left_out: 0.0})
        torch.manual_seed(0)
        terms[left_out] = UnetStep(SIZES["64"], losses, features, torch.device("cpu"))(raw)
    for left_out, found in terms.items():
        lacking = set(terms["none"]) - set(found)
        assert lacking == {"none": set(), "adversarial": {"adversarial", "critic"}}.get(left_out, {left_out})
        assert found == {name: pytest.approx(terms["none"][name], rel=1e-4) for name in found}


def test_the_bundle_is_proven(bundle: Path, trained: Path, faces: Faces) -> None:
    family, read = family_of("landmark-unet", "here"), read_bundle(bundle)
    assert (read.family, read.side, read.kind) == ("landmark-unet", 64, "landmark-unet")
    rows = compare(read, list(family.examples(read, faces, 1, 1)), 1, read_trained(trained).graphs())
    assert {row.runtime for row in rows} == {"torch", "onnxruntime", "openvino"}
    assert not list(beyond(family.bounds, rows))


def frames(model: str, folder: Path) -> list[NDArray[np.int64]]:
    folder.mkdir()
    given = ["sample:mira", "--driver", "sample:driver", "--output", str(folder / "%03d.png"), "--model", model]
    given += ["--duration", "0.08", "--size", "192", "--threads", "1", "--backend", "onnxruntime"]
    assert main(["reenact", *given, "--no-mark", "--no-invisible-mark", "--quiet"]) == 0
    return [np.asarray(Image.open(path)).astype(np.int64) for path in sorted(folder.iterdir())]


def test_a_portrait_is_driven_and_keeps_all_but_its_face(bundle: Path, tmp_path: Path) -> None:
    pairs = zip(frames(str(bundle), tmp_path / "own"), frames("warp", tmp_path / "warp"), strict=True)
    for own, other in pairs:
        difference = np.abs(own - other).mean(axis=2)
        middle = slice(len(own) // 3, -len(own) // 3), slice(own.shape[1] // 3, -own.shape[1] // 3)
        assert difference[middle].mean() > 5
        assert difference[:2].max() == difference[-2:].max() == difference[:, :2].max() == 0


def test_it_runs_live(bundle: Path) -> None:
    opened: list[LiveSession] = []

    def stop_when_painted(frame: Frame) -> None:
        if opened[0].statistics.stage("paint").count:
            opened[0].stop()

    settings = ReenactSettings(model=str(bundle), size=192, threads=1, backend="onnxruntime")
    sink = NotingSink(stop_when_painted)
    portrait, driver = (str(path) for path in (samples.portraits()["mira"], samples.driver()))

    async def live() -> None:
        async with open_live(LiveRequest((portrait,), driver, sink, settings, loop=True)) as session:
            opened.append(session)
            await session.run()

    asyncio.run(asyncio.wait_for(live(), 120))
    assert sink.frames
    assert opened[0].statistics.stage("paint").count > 0


def test_what_it_does_not_take_is_refused(views_file: Path, tmp_path: Path, faces: Faces) -> None:
    with pytest.raises(SettingError, match="landmark-unet needs --packed FILE"):
        course_of("landmark-unet", Asked())
    with pytest.raises(SettingError, match="--paintings is for other configurations"):
        course_of("landmark-unet", Asked(packed=views_file, paintings=tmp_path))
    course = course_of("landmark-unet-128", Asked(packed=views_file))
    with pytest.raises(SettingError, match="expected views of 128 pixels, got 64"):
        course.samples(faces, 0, 0)
