"""The avatar maker from labelled portraits to pictures of nobody."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

import mien.avatars
from mien.cli import main
from mien.errors import SettingError
from mien.face import classes
from mien.face.classes import CLASSES
from mien.face.traits import INDEX, TRAITS
from mien.manifest import read_bundle
from mien.nobody.drawing import label_map
from mien.nobody.maker import Maker, open_maker
from mien_export.data.faces import Faces
from mien_export.families.parsing.labelled import Labelled
from mien_export.families.registry import course_of, family_of, read_trained
from mien_export.families.scgan import people as distribution
from mien_export.families.scgan import prepared
from mien_export.families.scgan.course import CONFIGS, ScganCourse
from mien_export.families.scgan.network import SIZES, Scgan
from mien_export.families.scgan.people_command import main as people_command
from mien_export.families.scgan.samples import Samples, collate
from mien_export.families.spade_video.code import LENGTH
from mien_export.families.spade_video.course import SpadePart
from mien_export.graphs.parity import beyond, compare
from mien_export.graphs.weight_bytes import with_weights_in_bytes
from mien_export.graphs.writing import Words, write_bundle
from mien_export.train.course import Asked
from mien_export.train.loop import LATEST, Run, train


@pytest.fixture(scope="module")
def place(labels_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is learnt from."""
    folder = tmp_path_factory.mktemp("people")
    assert people_command(["--labels", str(labels_file), "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def trained(place: Path, faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps."""
    out = tmp_path_factory.mktemp("run")
    history = train(
        course_of("scgan-smoke", Asked(packed=place)), faces, 0, Run(out, workers=0, threads=1), tell=io.StringIO()
    )
    assert [("segments" in terms) for terms in history] == [False, True]
    assert all(np.isfinite(list(terms.values())).all() for terms in history)
    return out / LATEST


@pytest.fixture(scope="module")
def bundle(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    words = Words("scgan", "CC0-1.0", "1", "0" * 40, "nobody", "none")
    write_bundle(folder, read_trained(trained), words, ("fp32",), None, 1, lambda _: None)
    return folder


def test_every_portrait_is_also_there_with_its_mouth_closed(place: Path, labelled: Labelled) -> None:
    portraits, people = prepared.load(place)
    assert len(portraits) == 2 * len(labelled)
    np.testing.assert_array_equal(portraits.pictures[::2], labelled.pictures)
    gaps = np.linalg.norm(portraits.landmarks[:, 13, :2] - portraits.landmarks[:, 14, :2], axis=1)
    assert gaps[1::2].max() < 1.5
    assert (portraits.labels < len(CLASSES)).all()
    assert people.factor.shape == (distribution.LENGTH, distribution.LENGTH)


def test_the_distribution_has_the_means_and_the_spread_of_the_portraits(place: Path) -> None:
    portraits, people = prepared.load(place)
    rng = np.random.default_rng(0)
    drawn = [people.person(rng.standard_normal(distribution.LENGTH).astype(np.float32)) for _ in range(200)]
    beards = np.array([one.traits[INDEX["beard"]] for one in drawn])
    own = portraits.traits[:, INDEX["beard"]]
    assert beards.mean() == pytest.approx(own.mean(), abs=4 * own.std() / np.sqrt(len(drawn)) + 0.05)
    turns = np.array([one.traits[INDEX["turn"]] for one in drawn])
    assert turns.mean() == pytest.approx(0.5, abs=0.1)  # mirror images are in it


def test_samples_repeat_and_are_made_for_whom_they_should(place: Path) -> None:
    samples = Samples(place, seed=1, side=128)
    four = [samples(number) for number in range(4)]
    np.testing.assert_array_equal(samples(2).painted, four[2].painted)
    own, again, other, invented = four
    for sample in (own, again, other):
        np.testing.assert_array_equal(sample.labels, sample.asked)
    np.testing.assert_array_equal(own.traits, own.wanted)
    assert (invented.labels != invented.asked).any()
    raw = collate(four)
    np.testing.assert_array_equal(raw["painted"][1].permute(1, 2, 0), again.painted)
    assert raw["asked"].shape == (4, 256, 256)


@pytest.mark.parametrize("size", list(SIZES))
def test_every_form_gives_pictures_and_each_layer_takes_a_style_of_its_own(size: str) -> None:
    torch.manual_seed(0)
    form = SIZES[size]
    network, side = Scgan(form), form.side
    labels = torch.softmax(torch.randn(1, len(CLASSES), side, side), 1)
    styles = torch.randn(1, form.layers * LENGTH, requires_grad=True)
    painted, noise = torch.rand(1, 3, side, side), torch.randn(1, 1, side, side)
    picture = network(labels, painted, styles, torch.rand(1, form.attributes), noise)
    assert picture.shape == (1, 3, side, side)
    assert picture.abs().max() <= 1
    (gradient,) = torch.autograd.grad(picture.square().sum(), styles)
    assert (gradient.reshape(form.layers, LENGTH).abs().sum(1) > 0).all()


def test_what_is_painted_decides_in_the_hybrid_form_only() -> None:
    for size, decides in (("128", True), ("128-plain", False)):
        torch.manual_seed(0)
        form = SIZES[size]
        network = Scgan(form).eval()
        labels, noise = torch.ones(1, len(CLASSES), 128, 128) / len(CLASSES), torch.zeros(1, 1, 128, 128)
        rest = network.spread(torch.zeros(1, LENGTH)), torch.zeros(1, form.attributes), noise
        with torch.no_grad():
            one, two = (network(labels, torch.full((1, 3, 128, 128), value), *rest) for value in (-1.0, 1.0))
        assert bool((one != two).any()) == decides


def test_the_papers_form_learns_with_its_segmentor(place: Path, faces: Faces, tmp_path: Path) -> None:
    config = replace(CONFIGS["scgan-paper"], stages=(SpadePart(steps=2, batch=4),))
    history = train(ScganCourse(config, place), faces, 0, Run(tmp_path, workers=0, threads=1), tell=io.StringIO())
    assert {"segmentor", "critic", "read", "adversarial", "traits"} <= set(history[0])
    assert "pixel" not in history[0]
    assert history[1]["segmentor"] < history[0]["segmentor"]
    family = family_of("scgan-paper", "here")
    assert family.graphs(read_trained(tmp_path / LATEST).networks, "128-plain")[2].inputs[3].role == "tones"


def test_a_larger_network_begins_with_a_smaller_ones_weights(trained: Path, place: Path) -> None:
    step = course_of("scgan-256", Asked(packed=place, begin=trained)).step(torch.device("cpu"))
    own, given = step.state_dict()["average"], read_trained(trained).networks.network.state_dict()
    for name in ("encoder.mean.weight", "generator.levels.3.between.weight", "generator.first.weight"):
        torch.testing.assert_close(own[name], given[name])


def test_weights_in_bytes_are_nearly_the_weights() -> None:
    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Conv2d(16, 32, 3, 2, 1), torch.nn.Flatten(), torch.nn.Linear(32 * 16, 8))
    given = torch.randn(2, 16, 8, 8)
    exact, kept = layers(given), with_weights_in_bytes(layers)
    assert (kept(given) - exact).abs().max() < 0.02 * exact.abs().max()
    assert {value.dtype for name, value in kept.named_buffers() if name.endswith("values")} == {torch.int8}


def test_the_bundle_is_proven(bundle: Path, trained: Path, faces: Faces) -> None:
    family = family_of("scgan", "here")
    read = read_bundle(bundle)
    assert read.attributes == TRAITS
    rows = compare(read, list(family.examples(read, faces, 1, 1)), 1, read_trained(trained).graphs())
    assert {row.runtime for row in rows} == {"torch", "onnxruntime", "openvino"}
    assert not list(beyond(family.bounds, rows))


def test_graphs_draw_the_people_that_were_learnt(bundle: Path, place: Path) -> None:
    _, people = prepared.load(place)
    mixture = np.random.default_rng(3).standard_normal(distribution.LENGTH).astype(np.float32)
    with open_maker(1, str(bundle)) as maker:
        found = maker.person(mixture)
    wanted = people.person(mixture)
    np.testing.assert_allclose(found.landmarks, wanted.landmarks, atol=0.5)  # half a pixel: shapes are kept in bytes
    np.testing.assert_allclose(found.texture, wanted.texture, atol=0.05)
    np.testing.assert_allclose(found.colours, wanted.colours, atol=1e-3)
    assert (label_map(found, 256) == label_map(wanted, 256)).mean() > 0.99


def picture(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path))


def test_the_same_seed_makes_the_same_portrait(bundle: Path, tmp_path: Path) -> None:
    given = ["--model", str(bundle), "--size", "256", "--threads", "1", "--quiet"]
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert main(["avatar", "--seed", seed, "--output", str(tmp_path / f"{name}.png"), *given]) == 0
    one, again, other = (picture(tmp_path / f"{name}.png") for name in "abc")
    np.testing.assert_array_equal(one, again)
    assert one.shape == (256, 256, 3)
    assert (one != other).any()
    with Image.open(tmp_path / "a.png") as image:
        assert image.info["mien_shows"] == "nobody"
    assert main(["avatar", "--seed", "1", "--count", "2", "--output", str(tmp_path / "n.jpg"), *given]) == 0
    assert sorted(path.name for path in tmp_path.glob("n*")) == ["n-0.jpg", "n-1.jpg"]


@pytest.fixture(scope="module")
def maker(bundle: Path) -> Iterator[Maker]:
    with open_maker(1, str(bundle)) as opened:
        yield opened


def test_a_map_is_kept_to(maker: Maker, tmp_path: Path) -> None:
    drawn = maker.person(np.zeros(distribution.LENGTH, np.float32))
    labels = label_map(drawn, 256)
    moved = np.roll(labels, 8, axis=1)
    Image.fromarray(moved, "L").save(tmp_path / "map.png")
    order = mien.avatars.Order(size=256, map=tmp_path / "map.png")
    given = mien.avatars._given(maker, order, 1)
    assert given.labels is not None
    np.testing.assert_array_equal(given.labels, moved)
    fitted = maker.person(given.mixture(maker, order.asked, np.random.default_rng(0)))
    still = maker.person(mien.avatars.Given().mixture(maker, order.asked, np.random.default_rng(0)))
    eyes = [33, 133, 362, 263]
    goal = drawn.landmarks[eyes, 0] + 8
    apart, before = (np.abs(one.landmarks[eyes, 0] - goal).mean() for one in (fitted, still))
    assert apart < before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--seed", "first"], "--seed: invalid int value: 'first'"),
        (["--seed", "-1"], "--seed must be a whole number from 0, got -1"),
        (["--smile", "2"], "--smile must be from 0 to 1, got 2.0"),
        (["--size", "100"], "--size must be from 256 to 1024, got 100"),
        (["--count", "0"], "--count must be from 1 to 1000, got 0"),
        (["--backdrop", "plaid"], "--backdrop must be a colour such as"),
        (["--from", "{}/colours.png"], "expected a map of `mien parse`, with ids below 19, got colours (RGB)"),
        (["--from", "{}/tall.png"], "expected a square map of 64 pixels and more, got 64 x 96"),
        (["--from", "{}/ids.png"], "with ids below 19, got ids up to 40"),
        (["--from", "{}/nobody.png"], "expected a map with eyes, nose and mouth, got none of the class left_eye"),
        (["--from", "{}/none.png"], "none.png: expected a label map as a PNG, got none that can be read"),
        (["--from", "{}/tall.png", "--like", "sample:mira"], "expected --from or --like, got both; leave one out"),
        (["--like", "{}/colours.png"], "colours.png: expected an upright face, got none"),
        (["--model", "parsing"], "expected one of the family scgan, got parsing"),
        (["--output", "{}/a.mp4"], "a.mp4: expected a picture, .png, .jpg, .jpeg; change the ending"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: list[str], said: str
) -> None:
    Image.new("RGB", (96, 96)).save(tmp_path / "colours.png")
    Image.new("L", (64, 96)).save(tmp_path / "tall.png")
    Image.new("L", (96, 96), 40).save(tmp_path / "ids.png")
    Image.new("L", (96, 96), classes.SKIN).save(tmp_path / "nobody.png")
    usual = ["--model", str(bundle), "--output", str(tmp_path / "out.png"), "--threads", "1"]
    assert main(["avatar", *usual, *(word.format(tmp_path) for word in given)]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert said in told[-1]
    assert not (tmp_path / "out.png").exists()


def test_what_it_does_not_take_is_refused(place: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="--mouths and --paintings are for other configurations"):
        course_of("scgan", Asked(packed=place, paintings=tmp_path))
    with pytest.raises(SettingError, match="expected --packed, the folder that mien export people made"):
        course_of("scgan")
    with pytest.raises(SettingError, match="expected what mien export people makes, got none"):
        prepared.load(tmp_path)
