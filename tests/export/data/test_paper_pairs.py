"""The thesis's samples: pure functions of their number, one photograph as reference and as guide."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.face.topology import canonical_face
from mien_export.data.faces import Faces
from mien_export.families.oneshot_paper.pairs import PaperPairs, PaperSampling

COUNT, SIDE = 5, 96


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Faces:
    """Five clouds with faces of ever wider contours; the first two are one person's."""
    folder = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(0)
    landmarks = np.empty((COUNT, 478, 3), np.float16)
    rows = []
    for i in range(COUNT):
        cloud = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)).resize((SIDE, SIDE))
        cloud.save(folder / f"{i}.png")
        shape = canonical_face().points * np.array([0.9 + 0.05 * i, 1.0, 1.0])
        landmarks[i] = shape * 0.3 + np.array([0.5, 0.45, 0.0])
        rows.append({"file": f"{i}.png", "split": "train", "pad_frac": "0", "identity": str(max(i, 1))})
    np.savez(folder / "landmarks.npz", files=[row["file"] for row in rows], landmarks=landmarks)
    write_manifest(folder / "manifest.csv", rows)
    return Faces(folder)


def write_manifest(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_a_sample_is_a_function_of_its_number(faces: Faces) -> None:
    pairs = PaperPairs(faces, PaperSampling(seed=3, side=64))
    first = pairs.sample(7)
    pairs.sample(2)
    for again in (pairs.sample(7), pickle.loads(pickle.dumps(pairs)).sample(7)):
        assert all(np.array_equal(first[name], again[name]) for name in first)
    other = PaperPairs(faces, PaperSampling(seed=4, side=64)).sample(7)
    assert not np.array_equal(first["guide"], other["guide"])


def test_shapes_and_ranges(faces: Faces) -> None:
    sample = PaperPairs(faces, PaperSampling(side=64)).sample(0)
    assert {name: (value.shape, value.dtype) for name, value in sample.items()} == {
        "reference": ((3, 64, 64), np.dtype(np.float32)),
        "guide": ((3, 64, 64), np.dtype(np.float32)),
        "parsing": ((9, 64, 64), np.dtype(np.float32)),
    }
    assert all(np.abs(sample[name]).max() <= 1 for name in ("reference", "guide"))
    assert sample["parsing"].min() == 0
    assert sample["parsing"].max() == 1


def test_the_guide_is_the_reference_in_another_contour(faces: Faces) -> None:
    sample = PaperPairs(faces, PaperSampling(side=256, background=True)).sample(1)
    inner = sample["parsing"][[2, 4, 5, 6]].max(axis=0) == 1
    outer = (sample["parsing"][0] > 0) & ~inner
    change = np.abs(sample["guide"] - sample["reference"]).mean(axis=0)
    assert change[inner].mean() < 0.01 < change[outer].mean()


def test_the_background_is_removed_unless_it_is_wanted(faces: Faces) -> None:
    masked, full = (PaperPairs(faces, PaperSampling(side=64, background=shown)).sample(3) for shown in (False, True))
    outside = masked["parsing"][0] == 0
    inside = masked["parsing"][0] == 1
    assert not masked["guide"][:, outside].any()
    assert full["guide"][:, outside].any()
    np.testing.assert_array_equal(masked["guide"][:, inside], full["guide"][:, inside])


def test_an_epoch_shows_every_portrait_once(faces: Faces) -> None:
    pairs = PaperPairs(faces, PaperSampling(side=32, background=True))
    assert pairs.epoch == COUNT
    orders = []
    for epoch in range(2):
        shown = [pairs.sample(epoch * COUNT + i)["reference"].tobytes() for i in range(COUNT)]
        assert len(set(shown)) == COUNT
        orders.append(shown)
    assert set(orders[0]) == set(orders[1])
    assert orders[0] != orders[1]


def test_the_contour_is_never_the_same_persons(faces: Faces) -> None:
    pairs = PaperPairs(faces, PaperSampling())
    rng = np.random.default_rng(0)
    assert {pairs._other(0, rng) for _ in range(30)} == {2, 3, 4}


def test_a_side_that_does_not_divide_the_crop_is_refused(faces: Faces) -> None:
    with pytest.raises(ValueError, match="divisor of it, got 96"):
        PaperPairs(faces, PaperSampling(side=96))
