"""The small folder of faces with its labels, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien_export.data.faces import Faces
from mien_export.families.parsing.labelled import Labelled, label_faces, save


@pytest.fixture(scope="session")
def labelled(faces: Faces) -> Labelled:
    done: list[int] = []
    made = label_faces(faces, done.append)
    assert done == list(range(1, faces.count + 1))
    return made


@pytest.fixture(scope="session")
def labels_file(labelled: Labelled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "train.npz"
    save(path, labelled)
    return path
