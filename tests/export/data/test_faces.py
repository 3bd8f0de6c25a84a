from pathlib import Path

import numpy as np
import pytest

from mien.errors import SettingError, SourceError
from mien_export.data.faces import Faces


def test_rows_of_a_split_are_taken_and_padding_is_left_out(faces_folder: Path) -> None:
    train, test, every = Faces(faces_folder), Faces(faces_folder, "test"), Faces(faces_folder, None, 1.0)
    assert (train.count, test.count, every.count) == (9, 1, 11)
    assert {"mira", "teo0"} < {train.identity(i) for i in range(train.count)}
    assert {test.identity(i) for i in range(test.count)} == {"aldo"}


def test_landmarks_lie_on_their_picture(faces: Faces) -> None:
    for index in range(faces.count):
        picture, landmarks = faces.picture(index), faces.landmarks(index)
        irises, cheeks = (landmarks[list(at), :2] for at in ((468, 473), (50, 280)))
        shown = [picture[tuple(np.rint(points[:, ::-1]).astype(int).T)].mean() for points in (irises, cheeks)]
        assert shown[0] < 0.75 * shown[1]


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"lacks landmarks\.npz|lacks manifest\.csv"):
        Faces(tmp_path)


def test_a_split_without_rows_is_refused(faces_folder: Path) -> None:
    with pytest.raises(SettingError, match="no portraits of split 'none'"):
        Faces(faces_folder, "none")


def test_a_broken_picture_is_named(faces_folder: Path) -> None:
    faces = Faces(faces_folder, None, 1.0)
    with pytest.raises(SourceError, match=r"padded\.jpg"):
        faces.picture(faces.count - 1)
