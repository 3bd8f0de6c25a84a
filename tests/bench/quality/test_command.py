from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mien import samples
from mien.errors import SettingError
from mien_bench.quality import main
from mien_bench.quality.clips import calmest, scenes, watch
from mien_bench.quality.regions import REGIONS
from mien_bench.quality.scores import MEASURES, Scored
from mien_bench.quality.self_reenactment import measure
from mien_bench.quality.summary import printed, summarise


def test_pairs_of_a_folder_are_measured_printed_and_written(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "quality.json"
    arguments = ["--data", str(faces), "--table", "pairs", "--limit", "2", "--variants", "1", "--json", str(path)]
    assert main([*arguments, "--threads", "1"]) == 0
    said = capsys.readouterr().out
    assert all(f"mouth: {condition}; 2 identities" in said for condition in ("none", "recoloured", "another"))
    (none, *_) = json.loads(path.read_text())["pairs"]
    means = none["means"]["warp"]
    assert set(means) == set(MEASURES)
    assert means["l1"]["face"] < means["l1"]["eyes"] < 40
    assert means["ssim"]["face"] > 0.9


def test_a_clip_is_its_own_truth() -> None:
    clip = watch(samples.driver(), every=12, limit=5)
    assert [one.number for one in clip.frames] == [0, 12, 24, 36, 48]
    (scene,) = scenes([clip])
    calm = calmest(clip)
    assert len(scene.moments) == 4
    assert (scene.portrait.pixels == clip.frames[calm].pixels).all()
    answers = [one for one in measure([scene], ["warp"], 1) if one.condition == "none"]
    face = [one.values[MEASURES.index("ssim"), REGIONS.index("face")] for one in answers]
    assert np.min(face) > 0.8


def test_models_are_compared_with_the_first_over_identities() -> None:
    random = np.random.default_rng(0)
    scored = []
    for person in range(12):
        base = random.uniform(20, 40, (len(MEASURES), len(REGIONS)))
        scored += [Scored(f"face {person}", "", "warp", "none", base)]
        scored += [Scored(f"face {person}", "", "other", "none", base * 0.8)]
    (summary,) = summarise(scored)
    assert summary.identities == 12
    assert summary.means[1] == pytest.approx(summary.means[0] * 0.8)
    assert summary.differences[0][0][0].sure
    said = printed(summary, "title")
    assert "-20.0" in said
    assert said.count("*") >= len(REGIONS)


def test_pictures_of_people_are_not_kept_in_a_repository(faces: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    arguments = ["--data", str(faces), "--table", "pairs", "--limit", "1", "--variants", "1", "--threads", "1"]
    with pytest.raises(SettingError, match="repository"):
        main([*arguments, "--keep", str(tmp_path / "kept")])
    assert not (tmp_path / "kept").exists()
    (tmp_path / ".git").rmdir()
    main([*arguments, "--keep", str(tmp_path / "kept")])
    assert len(list((tmp_path / "kept").glob("*.jpg"))) == 3


def test_data_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIEN_DATA", raising=False)
    with pytest.raises(SettingError, match="--data or MIEN_DATA"):
        main(["--table", "pairs"])
