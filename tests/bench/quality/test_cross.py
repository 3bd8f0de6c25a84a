from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import samples
from mien.errors import BackendError
from mien.portrait.portrait import Portrait
from mien_bench import command
from mien_bench.quality import dlib_face
from mien_bench.quality.clips import Clip, read_clip
from mien_bench.quality.cross import Crossing, CrossScore, crossings, judge
from mien_bench.quality.dlib_face import DlibDetector, measure_face
from mien_bench.quality.grain import OWN, PAINTED, grains, octaves, table
from mien_bench.quality.people import guides_of_clip, references, several_of_clip
from mien_bench.quality.picture_measures import blurred
from mien_bench.quality.thesis_tables import rows_of, table_42, table_43


@pytest.fixture(scope="module")
def look() -> DlibDetector:
    pytest.importorskip("dlib", reason="dlib is not installed; it comes with mien[quality]")
    try:
        distribution(dlib_face.MODELS)
    except PackageNotFoundError:
        pytest.skip("dlib's models are not installed; they come with mien[quality]")
    return DlibDetector()


@pytest.fixture(scope="module")
def clip() -> Clip:
    return read_clip(samples.driver(), every=15, limit=6)


def softened(pixels: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    channels = [blurred(pixels[..., i].astype(np.float32), sigma) for i in range(3)]
    return np.asarray(np.rint(np.stack(channels, axis=-1)), dtype=np.uint8)


def crossing(reference: str = "a", guide: str = "b", distance: float = 0.3) -> Crossing:
    return Crossing(reference, guide, 2.0, distance, (np.zeros(3), np.zeros(3)))


def test_answers_without_a_face_count_as_another_person() -> None:
    score = judge([crossing(), crossing(distance=0.7), None, crossing(guide="c")])
    assert (score.count, score.lost) == (4, 1)
    assert score.identity == pytest.approx(50.0)
    assert score.pose == pytest.approx(2.0)
    assert judge([None]).identity == 0
    assert np.isnan(judge([]).identity)


def test_tables_show_our_figures_beside_the_thesis_s() -> None:
    score = CrossScore(2.5, 96.0, 0.3, 4.0, 10, 0)
    assert table_42({"lambda-25": score}).rows[0] == ("here", "-", "-", "-", "96.0", "-")
    assert table_43({"warp": {1: score, 3: score, 5: score}}).rows[1][-1] == "99.4"


def test_figures_that_are_known_of_each_reference_have_a_value_of_each() -> None:
    score = judge([crossing(), crossing(guide="c"), crossing("d", distance=0.5)])
    rows = {row.name: row for row in rows_of(score, {"model": "warp"})}
    assert rows["identity, distance"].values == pytest.approx((0.3, 0.5))
    assert rows["identity"].values == (100.0,)
    assert list(rows_of(judge([]), {"model": "warp"})) == []


def test_without_dlib_s_models_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dlib", reason="dlib is not installed; it comes with mien[quality]")
    monkeypatch.setattr(dlib_face, "MODELS", "no_such_distribution")
    with pytest.raises(BackendError, match=r"mien\[quality\]"):
        DlibDetector()


def test_points_lie_where_the_engine_s_do(look: DlibDetector, people: dict[str, Portrait]) -> None:
    for portrait in people.values():
        found = look(portrait.pixels)
        assert found is not None
        apart = found.points[[36, 45, 30, 48, 54]] - portrait.landmarks[[33, 263, 4, 61, 291], :2]
        assert np.linalg.norm(apart, axis=1).max() < 0.12 * portrait.pose.scale
    assert look(np.zeros((200, 200, 3), np.uint8)) is None


def test_a_driven_portrait_holds_its_head_as_its_guide_does_and_stays_itself(
    look: DlibDetector, people: dict[str, Portrait], clip: Clip
) -> None:
    guides = list(guides_of_clip(clip, 3, look))
    assert len(guides) == 3
    (teo,) = references([("teo", (people["teo"],))], look)
    driven = judge(list(crossings([teo], guides, "warp", look, threads=1)))
    unmoved = measure_face(teo.looks[0], teo.rest)
    still = np.mean([np.abs(guide.face.angles - unmoved.angles).mean() for guide in guides])
    assert driven.pose < still
    assert driven.distance < dlib_face.SAME_PERSON


def test_several_pictures_of_a_person_differ_in_pose(look: DlibDetector, clip: Clip) -> None:
    portraits = several_of_clip(clip, 3)
    assert len(portraits) == 3
    assert len({portrait.digest for portrait in portraits}) == 3
    (several,) = references([(clip.name, portraits)], look)
    assert 1 <= len(several.looks) <= 3


def test_the_thesis_s_tables_come_from_one_command(
    look: DlibDetector, faces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "--models",
        "warp",
        "--data",
        str(faces),
        "--table",
        "4.2",
        "--limit",
        "1",
        "--guides",
        "1",
        "--threads",
        "1",
    ]
    assert command.main(["quality", *arguments, "--every", "30"]) == 0
    said = capsys.readouterr().out
    assert "Table 4.2" in said
    assert "not trained here: no-concat, lambda-3" in said


def test_softer_eyes_are_told_from_the_skin_around_them(people: dict[str, Portrait]) -> None:
    teo = people["teo"]
    soft = teo.pixels.copy()
    x0, y0 = (int(v) for v in teo.landmarks[33, :2] - [8, 12])
    x1, y1 = (int(v) for v in teo.landmarks[263, :2] + [8, 12])
    soft[y0:y1, x0:x1] = softened(soft, 1.5)[y0:y1, x0:x1]
    lost = octaves(teo.pixels, teo.landmarks) - octaves(soft, teo.landmarks)
    assert lost[PAINTED.index("eyes")] > 1
    assert lost[PAINTED.index("lips")] < 0


def test_grain_is_told_for_each_model_and_the_portrait_itself(
    look: DlibDetector, people: dict[str, Portrait], clip: Clip
) -> None:
    guides = list(guides_of_clip(clip, 2, look))
    found = grains(list(references([("teo", (people["teo"],))], look)), guides, ["warp"], 1)
    assert found[0].octaves["warp"][1:] == pytest.approx(found[0].octaves[OWN][1:], abs=1.5)
    assert [row[0] for row in table(found).rows] == [f"teo ({found[0].side}), {name}" for name in (OWN, "warp")]
