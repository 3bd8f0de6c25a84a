from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien import samples
from mien.errors import BackendError, SettingError
from mien_bench import command
from mien_bench.benches import quality as quality_command
from mien_bench.benches.quality import possible
from mien_bench.quality import dlib_face
from mien_bench.quality.clips import Material, calmest, read_clip, scenes
from mien_bench.quality.regions import REGIONS
from mien_bench.quality.self_reenactment import MEASURES, Scored, measure
from mien_bench.quality.summary import promises, rows, summarise, table, too_few
from mien_bench.quality.thesis_runs import train_columns
from mien_bench.report import read


def test_pairs_of_a_folder_are_measured_printed_and_written(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "quality.json"
    arguments = [
        "--models",
        "warp",
        "--data",
        str(faces),
        "--table",
        "pairs",
        "--limit",
        "2",
        "--variants",
        "1",
        "--json",
        str(path),
    ]
    assert command.main(["quality", *arguments, "--threads", "1"]) == 0
    said = capsys.readouterr().out
    assert all(f"mouth: {condition}; 2 identities" in said for condition in ("none", "recoloured", "another"))
    (result,) = read(path).results
    means = {row.name: row.median for row in result.rows if row.condition["mouth"] == "none"}
    assert {name.split(",")[0] for name in means} == set(MEASURES)
    assert means["l1, face"] < means["l1, eyes"] < 40
    assert means["ssim, face"] > 0.9
    assert not result.steadiness.words


def test_a_clip_is_its_own_truth() -> None:
    clip = read_clip(samples.driver(), every=12, limit=5)
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
    told = table(summary, "title")
    assert ("  per cent", *["-20.0"] * len(REGIONS)) in told.rows
    assert sum(cell.count("*") for row in told.rows for cell in row) >= len(REGIONS)
    found = rows(summary, "pairs")
    assert len(found) == 2 * len(MEASURES) * len(REGIONS)
    assert {len(row.values) for row in found} == {12}


def test_pictures_of_people_are_not_kept_in_a_repository(faces: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    arguments = [
        "--models",
        "warp",
        "--data",
        str(faces),
        "--table",
        "pairs",
        "--limit",
        "1",
        "--variants",
        "1",
        "--threads",
        "1",
    ]
    with pytest.raises(SettingError, match="repository"):
        command.main(["quality", *arguments, "--keep", str(tmp_path / "kept")])
    assert not (tmp_path / "kept").exists()
    (tmp_path / ".git").rmdir()
    command.main(["quality", *arguments, "--keep", str(tmp_path / "kept")])
    assert len(list((tmp_path / "kept").glob("*.jpg"))) == 3


def test_data_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIEN_DATA", raising=False)
    with pytest.raises(SettingError, match="--data or MIEN_DATA"):
        command.main(["quality", "--table", "pairs"])


def test_any_clips_and_portraits_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIEN_DATA", raising=False)
    path = tmp_path / "quality.json"
    material = ["--clips", str(samples.driver()), "--portraits", str(samples.portraits()["mira"]), "--strips", "given"]
    tables = ["--table", "clips", "flicker", "temporal", "strips", "--models", "warp"]
    assert command.main(["quality", *material, *tables, "--run", "6", "--every", "50", "--json", str(path)]) == 0
    (result,) = read(path).results
    assert {row.condition["on"] for row in result.rows} == {"clips"}
    temporal = next(one for one in result.tables if one.title.startswith("Temporal"))
    assert [row[0] for row in temporal.rows[:2]] == ["the true clip", "warp"]
    assert result.strips[0].jpeg[:2] == b"\xff\xd8"
    assert result.strips[0].labels[0] == "portrait"


def test_without_data_and_dlib_the_rest_is_made_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIEN_DATA", raising=False)
    monkeypatch.setattr(dlib_face, "MODELS", "no_such_distribution")
    there = Material((samples.driver(),), (), None, 10, None)
    wanted, notes = possible(there)
    fidelity = ("open-mouths", "integrity", "motion", "pursing", "jitter", "channels")
    assert wanted == ("clips", "flicker", "temporal", *fidelity, "face-video", "avatars", "morph", "strips")
    assert [note.split(":")[0] for note in notes] == ["no pairs", "no tables 4.2, 4.3, grain", "no table 4.1"]


def test_what_a_table_lacks_is_told_before_any_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking(*_: object) -> None:
        raise BackendError("dlib is not there")

    monkeypatch.setattr(quality_command, "DlibDetector", lacking)
    with pytest.raises(BackendError, match="dlib is not there"):
        command.main(["quality", "--models", "warp", "--table", "flicker", "4.3"])
    assert "flicker" not in capsys.readouterr().out


def test_what_is_promised_of_a_generator_is_checked() -> None:
    random = np.random.default_rng(0)
    l1, ssim = MEASURES.index("l1"), MEASURES.index("ssim")
    scored = []
    for person in range(12):
        base = random.uniform(20, 40, (len(MEASURES), len(REGIONS)))
        better = base.copy()
        better[l1] *= 0.8
        better[l1, REGIONS.index("uncovered")] = base[l1, REGIONS.index("uncovered")]
        better[ssim, REGIONS.index("lips")] *= 0.9
        scored += [Scored(f"face {person}", "", "warp", "none", base)]
        scored += [Scored(f"face {person}", "", "other", "none", better)]
        scored += [Scored(f"face {person}", "", "warp", "another", base)]
        scored += [Scored(f"face {person}", "", "other", "another", better)]
    none, another = summarise(scored)
    checks = list(promises(none, "pairs"))
    assert [check.kept for check in checks] == [True, True, False, False]
    assert checks[0].name == "pairs, other, mouth: none: L1, inner_mouth"
    assert checks[0].got.startswith("-20.0 %")
    assert checks[3].got.startswith("lips -")
    assert list(promises(another, "pairs")) == []
    assert too_few(none, "pairs") is None
    few, others = summarise(scored[: 4 * 4])
    assert list(promises(few, "clips")) == []
    said = "clips: promises are not judged, 4 people say too little of others (5 are needed)"
    assert (too_few(few, "clips"), too_few(others, "clips")) == (said, None)


def test_a_column_that_cannot_be_trained_is_told(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"table 4\.2: expected its columns to be trained, got exit code 2"):
        train_columns(tmp_path / "nowhere", tmp_path, ("steps", 2), 1)
