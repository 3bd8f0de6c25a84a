"""Writes a folder of aligned portraits from pictures of any kind, in the layout that `Faces` reads."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mien.face.crop import SIDE, crop_matrix
from mien.plane import placed
from mien.portrait.prepare import prepare
from mien_export.data.pairs import crop


def write_faces(folder: Path, pictures: Sequence[Path]) -> None:
    """Find the face of each picture, cut it out, and write all as portraits to learn from.

    Raises:
        SourceError, FaceError: a picture cannot be read, or has no face.
    """
    rows, names, shares = [], [], []
    for number, picture in enumerate(pictures):
        portrait = prepare(picture)[0]
        matrix, name = crop_matrix(portrait.pose), f"{number:05d}.png"
        Image.fromarray(crop(portrait.pixels, matrix)).save(folder / name)
        rows.append([name, f"person {number}", "train", 0.0])
        names.append(name)
        shares.append(placed(portrait.landmarks, matrix) / SIDE)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["file", "identity", "split", "pad_frac"], *rows])
    np.savez(folder / "landmarks.npz", files=np.array(names), landmarks=np.stack(shares).astype(np.float16))
