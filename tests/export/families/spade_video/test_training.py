"""Face synthesis from its first step to a bundle that drives a portrait and makes a video anew."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from mien.cli import main
from mien.errors import SettingError
from mien.face import classes
from mien.face.classes import CLASSES
from mien.manifest import read_bundle
from mien_export.data.faces import Faces
from mien_export.families.registry import course_of, family_of, read_trained
from mien_export.families.spade_video.code import COLOURS, LENGTH, ClassColours, painted
from mien_export.families.spade_video.graphs import graphs_of
from mien_export.families.spade_video.losses import divergence_term
from mien_export.families.spade_video.moved import moved
from mien_export.families.spade_video.network import SIZES, SpadeVideo
from mien_export.families.spade_video.samples import Samples, collate
from mien_export.families.spade_video.step import shares_of
from mien_export.families.style.losses import temporal_term
from mien_export.graphs.parity import beyond, compare
from mien_export.graphs.tracing import exported
from mien_export.graphs.writing import Words, write_bundle
from mien_export.train.course import Asked
from mien_export.train.loop import LATEST, Run, train


@pytest.fixture(scope="module")
def trained(labels_file: Path, faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps."""
    out = tmp_path_factory.mktemp("run")
    course = course_of("spade-video-smoke", Asked(packed=labels_file))
    history = train(course, faces, 0, Run(out, workers=0, threads=1), tell=io.StringIO())
    assert [("segments" in terms) for terms in history] == [False, True]
    assert all("temporal" in terms for terms in history)
    assert all(np.isfinite(list(terms.values())).all() for terms in history)
    return out / LATEST


@pytest.fixture(scope="module")
def bundle(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    words = Words("spade-video", "CC0-1.0", "1", "0" * 40, "nothing", "none")
    write_bundle(folder, read_trained(trained), words, ("fp32",), None, 1, lambda _: None)
    return folder


def test_samples_repeat_and_their_views_are_of_one_person(labels_file: Path) -> None:
    samples = Samples(labels_file, seed=1, side=128)
    sample, again = samples(3), samples(3)
    np.testing.assert_array_equal(sample.picture, again.picture)
    assert sample.labels.shape == (256, 256)
    assert sample.labels.max() < len(CLASSES)
    behind = sample.labels[::2, ::2] == classes.BACKGROUND
    apart = np.abs(sample.picture[behind].astype(int) - sample.backdrop)
    assert np.median(apart) <= 2
    raw = collate([sample, again])
    assert raw["pictures"].shape == raw["sources"].shape == (2, 3, 128, 128)


def test_shares_are_means_over_finer_labels() -> None:
    kinds = torch.randint(0, len(CLASSES), (2, 8, 8))
    plain = torch.nn.functional.one_hot(kinds, len(CLASSES)).permute(0, 3, 1, 2).float()
    torch.testing.assert_close(shares_of(kinds, 2), torch.nn.functional.avg_pool2d(plain, 2))


def test_colours_are_the_classes_means() -> None:
    labels = torch.zeros(1, 64, 128, dtype=torch.long)
    labels[:, :, 64:] = classes.HAIR
    picture = torch.where(labels[:, None] == classes.HAIR, 0.5, -0.25).expand(1, 3, 64, 128)
    shares = shares_of(labels)
    colours = ClassColours()(picture, shares)
    assert colours.shape == (1, COLOURS)
    table = colours.reshape(len(CLASSES), 3)
    torch.testing.assert_close(table[classes.HAIR], torch.full((3,), 0.5), atol=0.03, rtol=0)
    torch.testing.assert_close(table[classes.HAT], table[classes.HAIR], atol=0.03, rtol=0)
    torch.testing.assert_close(painted(shares, colours), picture, atol=0.03, rtol=0)


def test_divergence_is_that_of_normal_distributions() -> None:
    mean, variance = torch.randn(5, 7), torch.randn(5, 7)
    own = torch.distributions.Normal(mean, (0.5 * variance).exp())
    expected = torch.distributions.kl_divergence(own, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(divergence_term(mean, variance), expected)


def test_maps_a_moment_later_are_where_their_flow_says() -> None:
    kinds = torch.randint(0, len(CLASSES), (4, 32, 32)).repeat_interleave(8, 1).repeat_interleave(8, 2)
    labels = shares_of(kinds, 2)
    later = moved(labels, np.random.default_rng(0))
    assert later.labels.shape == labels.shape
    torch.testing.assert_close(later.labels.sum(1), torch.ones(4, 128, 128))
    still = functional.affine_grid(torch.eye(2, 3).expand(4, 2, 3), [4, 1, 128, 128], align_corners=True)
    shifts = (later.flow - still).norm(dim=-1).flatten(1).mean(1) * 64
    assert ((shifts > 0.2) & (shifts < 20)).all()
    picture = torch.einsum("nchw,c->nhw", labels, torch.linspace(-1, 1, len(CLASSES)))[:, None].expand(4, 3, 128, 128)
    after = torch.einsum("nchw,c->nhw", later.labels, torch.linspace(-1, 1, len(CLASSES)))[:, None]
    after = after.expand(4, 3, 128, 128)
    assert temporal_term(picture, after, later.flow, later.confidence) < 1e-6
    assert temporal_term(picture, picture, later.flow, later.confidence) > 1e-3


@pytest.mark.parametrize("size", list(SIZES))
def test_every_architecture_gives_pictures(size: str) -> None:
    torch.manual_seed(0)
    network = SpadeVideo(SIZES[size]).eval()
    side = SIZES[size].side
    labels = shares_of(torch.randint(0, len(CLASSES), (1, 2 * side, 2 * side)), 2)
    with torch.no_grad():
        picture = network(labels, torch.randn(1, LENGTH + COLOURS))
    assert picture.shape == (1, 3, side, side)
    assert picture.abs().max() <= 1


def test_what_spade_is_compared_with_can_be_exported() -> None:
    network = SpadeVideo(SIZES["128-pix2pix"]).eval()
    _, paint = graphs_of(network)
    assert {node.op_type for node in exported(paint).graph.node} <= paint.operators


def test_a_larger_network_begins_with_a_smaller_ones_weights(trained: Path, labels_file: Path) -> None:
    step = course_of("spade-video-256", Asked(packed=labels_file, begin=trained)).step(torch.device("cpu"))
    own, given = step.state_dict()["average"], read_trained(trained).networks.state_dict()
    for name in ("encoder.mean.weight", "generator.levels.3.between.weight", "generator.begun.weight"):
        torch.testing.assert_close(own[name], given[name])


def test_the_bundle_is_proven(bundle: Path, trained: Path, faces: Faces) -> None:
    family = family_of("spade-video", "here")
    read = read_bundle(bundle)
    rows = compare(read, list(family.examples(read, faces, 1, 1)), 1, read_trained(trained).graphs())
    assert {row.runtime for row in rows} == {"torch", "onnxruntime", "openvino"}
    assert not list(beyond(family.bounds, rows))


def frames(folder: Path) -> list[NDArray[np.int64]]:
    return [np.asarray(Image.open(path)).astype(np.int64) for path in sorted(folder.iterdir())]


def test_a_portrait_is_driven(bundle: Path, tmp_path: Path) -> None:
    made = {}
    for model in (str(bundle), "warp"):
        folder = tmp_path / Path(model).name
        folder.mkdir()
        given = ["sample:mira", "--driver", "sample:driver", "--output", str(folder / "%03d.png"), "--model", model]
        given += ["--duration", "0.08", "--size", "192", "--threads", "1", "--backend", "onnxruntime"]
        assert main(["reenact", *given, "--no-mark", "--no-invisible-mark", "--quiet"]) == 0
        made[model] = frames(folder)
    for own, other in zip(made[str(bundle)], made["warp"], strict=True):
        difference = np.abs(own - other).mean(axis=2)
        middle = slice(len(own) // 3, -len(own) // 3), slice(own.shape[1] // 3, -own.shape[1] // 3)
        assert difference[middle].mean() > 5
        assert difference[:2].max() == difference[-2:].max() == 0


@pytest.mark.parametrize("style", [(), ("--portrait", "sample:mira"), ("--style-frame", "0.5")])
def test_a_video_is_made_anew(bundle: Path, tmp_path: Path, style: tuple[str, ...]) -> None:
    given = ["sample:driver", "--output", str(tmp_path / "%03d.png"), "--model", str(bundle), "--duration", "0.08"]
    assert (
        main(
            [
                "resynth",
                *given,
                *style,
                "--size",
                "160",
                "--threads",
                "1",
                "--no-mark",
                "--no-invisible-mark",
                "--quiet",
            ]
        )
        == 0
    )
    made = frames(tmp_path)
    assert len(made) == 2
    assert all(frame.shape == (160, 160, 3) for frame in made)
    corner = made[0][:4, :4].reshape(-1, 3)
    assert np.ptp(corner, axis=0).max() <= 3  # one colour behind
    assert made[0][60:100, 60:100].std() > 1


def test_what_it_does_not_take_is_refused(
    labels_file: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingError, match="--mouths and --paintings are for other configurations"):
        course_of("spade-video", Asked(packed=labels_file, paintings=tmp_path))
    Image.new("RGB", (300, 300)).save(tmp_path / "plain.png")
    given = ["resynth", "sample:driver", "--output", str(tmp_path / "out.mp4"), "--model"]
    assert main([*given, str(bundle), "--portrait", str(tmp_path / "plain.png")]) == 2
    assert "plain.png: expected a face, got none" in capsys.readouterr().err
    assert main([*given, "parsing"]) == 2
    assert "expected one of the family spade-video, got parsing" in capsys.readouterr().err
