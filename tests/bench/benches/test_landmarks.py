"""Both kinds of landmarks on the same frames."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from mien import samples
from mien.errors import FaceError
from mien_bench.benches.landmarks import HEIGHT, WIDTH, compare, frames_of


def test_both_kinds_see_each_frame() -> None:
    pictures = list(islice(frames_of(samples.driver()), 12))
    assert {picture.shape for picture in pictures} == {(HEIGHT, WIDTH, 3)}
    found = compare(pictures, stills=4, noise=4.0)
    assert found.distances.shape == (12, 478)
    assert np.median(found.distances) < 0.1
    assert found.floor.shape == (2, 478)
    assert found.missed == 0
    assert found.again == {"mediapipe": 0, "onnx": 0}
    assert {kind: len(times) for kind, times in found.milliseconds.items()} == {"mediapipe": 12, "onnx": 12}


def test_a_clip_without_a_face_is_refused() -> None:
    with pytest.raises(FaceError, match="expected a face in the clip, got none"):
        compare([np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 3, stills=2, noise=1.0)
