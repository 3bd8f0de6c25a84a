"""A small folder of faces, in the layout that training reads, made of the packaged portraits of nobody."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mien import capture, samples
from mien.capture import image
from mien.face.crop import crop_matrix
from mien.plane import placed
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien_export.data.faces import Faces
from mien_export.data.pairs import crop

NAMES = ("aldo", "mira")
FRAMES = 8
TILTS = (0.0, 4.0, -5.0)
PADDED = "padded.jpg"


@pytest.fixture(scope="session")
def nobodies() -> dict[str, Portrait]:
    """Two packaged portraits with closed mouths, and frames of the packaged driver, who speaks."""
    found = samples.portraits()
    pictures = {name: image.read(found[name]) for name in NAMES}
    with capture.open(str(samples.driver())) as source:
        pictures |= {f"teo{k}": frame.pixels for k, frame in enumerate(source.sample(FRAMES))}
    return {name: prepare(pixels)[0] for name, pixels in pictures.items()}


@pytest.fixture(scope="session")
def faces_folder(nobodies: dict[str, Portrait], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face in each picture, of which one portrait is for testing, and one picture that is mostly padding."""
    folder = tmp_path_factory.mktemp("faces")
    (folder / "img").mkdir()
    rows, points = [], []
    for k, (name, portrait) in enumerate(nobodies.items()):
        file = f"{name}.png"
        pixels, landmarks = _tilted(portrait, TILTS[k % len(TILTS)])
        Image.fromarray(pixels).save(folder / "img" / file)
        rows.append([f"img/{file}", name[:4], "test" if name == NAMES[0] else "train", 0.02])
        points.append((file, landmarks))
    rows.append([f"img/{PADDED}", "nobody", "train", 0.5])
    points.append((PADDED, points[0][1]))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file_:
        csv.writer(file_).writerows([["file", "identity", "split", "pad_frac"], *rows])
    shares = np.stack([landmarks for _, landmarks in points]).astype(np.float16)
    np.savez(folder / "landmarks.npz", files=np.array([name for name, _ in points]), landmarks=shares)
    return folder


@pytest.fixture(scope="session")
def faces(faces_folder: Path) -> Faces:
    return Faces(faces_folder)


def _tilted(portrait: Portrait, degrees: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The portrait's crop turned in its plane, and its landmarks as shares of the side."""
    matrix = crop_matrix(portrait.pose)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([128.0, 128.0])
    turned = np.column_stack([turn @ matrix[:, :2], turn @ (matrix[:, 2] - middle) + middle])
    return crop(portrait.pixels, turned), placed(portrait.landmarks, turned) / 256
