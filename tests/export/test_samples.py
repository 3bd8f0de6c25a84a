"""The packaged samples: there, small, found by the landmarker, moving as composed, and like nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien import samples
from mien.face import topology
from mien.face.pose import angles_of, fit_pose
from mien.parse.models import FaceMesh
from mien_export.samples.album import open_album
from mien_export.samples.clip import ACTOR, RATE, SEED, driver_performance, open_puppet, speak
from mien_export.samples.composer import compose
from mien_export.samples.nobody import SAME_PERSON, models_folder, nearest, open_recogniser, stranger_limit
from mien_export.samples.puppet import landmarks_at, perform

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
SIZES = {"aldo": 512, "avatar": 1024, "mira": 512, "teo": 512}
PHOTOGRAPHS = [name for name, side in SIZES.items() if side == 512]


def _read(path: Path) -> Pixels:
    return np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[:, :, ::-1])


@pytest.fixture(scope="module")
def still() -> Iterator[FaceMesh]:
    with FaceMesh(still=True) as mesh:
        yield mesh


def test_the_samples_are_four_pictures_and_a_clip_under_three_megabytes() -> None:
    assert sorted(samples.portraits()) == sorted(SIZES)
    files = [*samples.portraits().values(), samples.driver()]
    assert sum(path.stat().st_size for path in files) < 3_000_000


@pytest.mark.parametrize("name", SIZES)
def test_the_landmarker_finds_a_closed_mouth_and_open_eyes_looking_at_the_viewer(name: str, still: FaceMesh) -> None:
    pixels = _read(samples.portraits()[name])
    assert pixels.shape == (SIZES[name], SIZES[name], 3)
    (face,) = still(pixels)
    assert face[:, :2].min() > 0
    assert face[:, :2].max() < SIZES[name]
    channels = _channels(face)
    assert channels["mouth"] < 0.04
    assert min(channels["left eye"], channels["right eye"]) > 0.06
    assert max(abs(channels["yaw"]), abs(channels["roll"])) < 8
    assert abs(channels["pitch"]) < 20  # as proportions of a face shift it


def _channels(face: Array) -> dict[str, float]:
    """Gaps in eye distances, angles in degrees."""
    eye = float(np.linalg.norm(face[33, :2] - face[263, :2]))
    angles = angles_of(fit_pose(face).rotation)
    gaps = {"mouth": (13, 14), "left eye": (159, 145), "right eye": (386, 374)}
    found = {name: float(np.linalg.norm(face[a, :2] - face[b, :2])) / eye for name, (a, b) in gaps.items()}
    return found | {"yaw": angles.yaw, "pitch": angles.pitch, "roll": angles.roll}


def test_landmarks_found_in_the_clip_follow_the_composed_motion() -> None:
    puppet = open_puppet(samples.portraits()[ACTOR])
    deeds = driver_performance().deeds
    with av.open(str(samples.driver())) as container:
        frames = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]
    assert len(frames) == len(deeds)
    with FaceMesh(still=False) as mesh:
        found = [_channels(mesh(frame)[0]) for frame in frames]
    composed = [_channels(landmarks_at(puppet, deed)) for deed in deeds]
    for name, least in {
        "mouth": 0.95,
        "left eye": 0.85,
        "right eye": 0.85,
        "yaw": 0.97,
        "pitch": 0.88,
        "roll": 0.97,
    }.items():
        pair = np.array([[c[name], f[name]] for c, f in zip(composed, found, strict=True)])
        assert np.corrcoef(pair.T)[0, 1] > least, name
        assert 0.5 < np.polyfit(pair[:, 0], pair[:, 1], 1)[0] < 1.3, name


def test_the_clip_speaks_as_long_as_it_shows() -> None:
    with av.open(str(samples.driver())) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height) == (512, 512)
        assert video.average_rate is not None
        assert float(video.average_rate) == 25
        assert video.duration is not None
        assert video.time_base is not None
        assert 6 <= float(video.duration * video.time_base) <= 10
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    expected = speak(driver_performance(), SEED)
    assert abs(len(sound) - len(expected)) < 0.05 * RATE
    assert 0.3 < np.abs(sound).max() <= 1


def test_the_voice_is_heard_where_the_mouth_speaks() -> None:
    performance = compose(4.0, seed=9)
    sound, blocks = speak(performance), RATE // 25
    loud = np.sqrt((sound.reshape(-1, blocks).astype(np.float64) ** 2).mean(axis=1))
    spoken = np.zeros(len(loud), bool)
    for phone in performance.phones:
        spoken[int(phone.start * 25) : int((phone.start + phone.duration) * 25) + 1] = True
    assert loud[~spoken].mean() < 0.1 * loud[spoken].mean()


def test_the_puppet_shows_what_is_composed(still: FaceMesh) -> None:
    puppet = open_puppet(samples.portraits()[ACTOR])
    deed = max(driver_performance().deeds, key=lambda one: one.weights[0])
    picture, truth = perform(puppet, deed)
    (face,) = still((picture * 255).astype(np.uint8))
    eye = np.linalg.norm(truth[33, :2] - truth[263, :2])
    lips = [*topology.OUTER_LIPS, *topology.INNER_LIPS]
    assert np.linalg.norm(face[lips, :2] - truth[lips, :2], axis=1).mean() < 0.06 * eye


@pytest.mark.skipif("MIEN_DATA" not in os.environ, reason="MIEN_DATA names no folder with faces to compare with")
@pytest.mark.skipif(models_folder() is None, reason="dlib-bin and face_recognition_models are not installed")
def test_no_portrait_resembles_anybody() -> None:
    folder = models_folder()
    assert folder is not None
    recogniser = open_recogniser(folder)
    everybody = recogniser.embed_all(open_album(Path(os.environ["MIEN_DATA"]) / "faces", pad_limit=1.0))
    limit = max(SAME_PERSON, stranger_limit(everybody))
    for name in PHOTOGRAPHS:
        picture = (_read(samples.portraits()[name]) / np.float32(255)).astype(np.float32)
        assert nearest(recogniser.embed(picture), everybody) > limit, name
