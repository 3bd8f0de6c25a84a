"""Real faces, where `MIEN_DATA` names the folder that holds them."""

from __future__ import annotations

import os
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from mien import capture
from mien.face.contacts import lid_gaps
from mien.face.pose import angles_of, fit_pose
from mien.frame import Frame
from mien.motion.neutral import estimate, sight
from mien.parse.parser import Parser

DATA = os.environ.get("MIEN_DATA")
CLIPS = sorted((Path(DATA) / "clips").glob("*.mp4")) if DATA else []
pytestmark = pytest.mark.skipif(not CLIPS, reason="MIEN_DATA names no folder with clips")


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.stem)
def test_the_face_of_a_clip_is_tracked_without_leaps(clip: Path) -> None:
    with capture.open(clip) as source, Parser() as parser:
        frames = (item for item in source if isinstance(item, Frame))
        faces = [parser(frame) for frame in islice(frames, 40)]
    found = [face.landmarks for face in faces if face is not None]
    assert len(found) >= 0.9 * len(faces)
    scale = fit_pose(found[0]).scale
    steps = [np.abs(b[4, :2] - a[4, :2]).max() / scale for a, b in pairwise(found)]
    assert max(steps) < 0.5


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.stem)
def test_the_neutral_of_a_clip_is_a_calm_face(clip: Path) -> None:
    with capture.open(clip) as source, Parser(hints=False) as parser:
        faces = [parser(frame) for frame in source.sample(30)]
    found = [face.landmarks for face in faces if face is not None]
    sightings = [sight(landmarks) for landmarks in found]
    neutral = estimate(sightings)
    assert lid_gaps(neutral.shape).mean() > 0.04
    yaws = [angles_of(fit_pose(one).rotation).yaw for one in found]
    assert min(yaws) <= neutral.angles.yaw <= max(yaws)
