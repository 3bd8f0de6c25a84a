from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.errors import FaceError
from mien.portrait.prepare import prepare


@pytest.mark.parametrize("size", [(1, 1), (1, 40)])
def test_a_picture_of_next_to_no_pixels_is_told_by_its_own_size(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.fromarray(np.zeros((size[1], size[0], 3), np.uint8)).save(tmp_path / "me.png")
    with pytest.raises(FaceError, match=rf"me\.png: expected a face, got a picture of {size[0]} x {size[1]} pixels"):
        prepare(tmp_path / "me.png")
