from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from mien.portrait.portrait import Portrait
from mien_bench.quality.picture_strips import write_jpeg


@pytest.fixture(scope="session")
def faces(people: dict[str, Portrait], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose test split is the samples, with one face to train on and one that is mostly padding."""
    data = tmp_path_factory.mktemp("data")
    folder = data / "faces"
    folder.mkdir()
    rows = []
    for number, (name, portrait) in enumerate(people.items()):
        write_jpeg(folder / f"{name}.jpg", portrait.pixels)
        split, padding = ("train", 0.0) if name == "avatar" else ("test", 0.0)
        rows.append((f"{name}.jpg", name, split, padding, number))
    rows.append((rows[-1][0], "padded", "test", 0.4, 0))
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "identity", "split", "pad_frac", "landmarks_row"), *rows])
    landmarks = np.array([portrait.landmarks / max(portrait.size) for portrait in people.values()])
    np.savez(folder / "landmarks.npz", landmarks=landmarks.astype(np.float32))
    return data
