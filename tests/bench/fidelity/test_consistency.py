from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.bench.fidelity.test_following import face

from mien import samples
from mien.motion.neutral import estimate, sight
from mien.portrait.portrait import Portrait
from mien_bench import command
from mien_bench.fidelity.consistency import REFERENCE, SHUFFLED, Consistency, Subject, measure
from mien_bench.fidelity.consistency_tables import rows, tables, targets
from mien_bench.fidelity.judges import LIKE, ROLLED, Guide, Judges, with_like_expressions
from mien_bench.fidelity.points68 import UNITS, Reading, read_points
from mien_bench.report import read

Array = NDArray[np.float64]


def guide(identity: str, profile: Array) -> Guide:
    landmarks = face()
    given = {"mesh": Reading(profile, np.zeros(3))}
    return Guide(identity, landmarks, estimate([sight(landmarks)]), None, profile, given, {ROLLED: given})


def test_a_like_expression_is_another_person_s() -> None:
    smile, frown = np.eye(12)[6], np.eye(12)[7]
    found = with_like_expressions(
        [guide("a", smile), guide("a", 1.1 * smile), guide("b", 0.9 * smile), guide("b", frown)]
    )
    assert found[0].controls[LIKE]["mesh"].units == pytest.approx(0.9 * smile)
    assert found[2].controls[LIKE]["mesh"].units == pytest.approx(smile)
    assert LIKE not in with_like_expressions([guide("a", smile), guide("a", frown)])[0].controls


def test_each_row_is_compared_with_the_same_guides(people: dict[str, Portrait]) -> None:
    random = np.random.default_rng(0)
    guides = [guide("a", random.normal(size=12)) for _ in range(12)] + [guide("teo", np.ones(12))]
    judges = Judges({"mesh": lambda pixels, about: read_points(about)}, None)
    subject = Subject("in the wild", "teo", people["teo"])
    found = {one.row: one for one in measure(subject, guides, ["warp"], judges, 1)}
    assert list(found) == [REFERENCE, "warp", SHUFFLED, ROLLED, *list(found)[4:]]
    assert found[REFERENCE].mean_units("mesh") == 0.0
    assert found[ROLLED].mean_units("mesh") == pytest.approx(1.0)
    assert found[ROLLED].pose["mesh"] == 0.0
    assert found["warp"].distances == ()
    assert list(measure(subject, guides[:5], ["warp"], judges, 1)) == []


def test_tables_stand_beside_the_thesis_s() -> None:
    def one(row: str, reference: str, value: float) -> Consistency:
        names = ("OpenSeeFace", "dlib", "mesh")
        units = {name: np.full(len(UNITS), value) for name in names}
        return Consistency("cross source", reference, row, units, dict.fromkeys(names, 1.2), (0.3, 0.7), 1)

    found = [one("oneshot-live", "a", 0.7), one("oneshot-live", "b", 0.9), one(ROLLED, "a", 1.0)]
    made = list(tables(found, ("OpenSeeFace", "dlib", "mesh")))
    assert [table.title.split(":")[0] for table in made[:2]] == ["Table 4.1, all", "Table 4.1, cross source"]
    assert made[0].rows[0][:2] == ("oneshot-live", "0.80 [0.70, 0.90]")
    assert made[1].rows[made[1].quoted[0]][0] == "thesis: Reference"
    assert made[1].rows[-1][1] == "0.71"
    assert made[-1].rows[0][1] == "0.80 [0.70, 0.90] (0.70)"
    kept = {check.name.split(": ")[1]: check.kept for check in targets(found)}
    assert kept == {"action units": False, "each unit": True, "pose": True, "identity": False}
    told = {(row.name, row.condition["on"], row.condition["model"]): row.values for row in rows(found, ("dlib",))}
    assert told["action units, dlib", "all", "oneshot-live"] == pytest.approx((0.7, 0.9))
    assert told["identity kept", "cross source", "oneshot-live"] == (50.0, 50.0)


def test_fidelity_is_measured_on_any_clip_and_portrait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIEN_DATA", raising=False)
    path = tmp_path / "fidelity.json"
    material = ["--clips", str(samples.driver()), "--portraits", str(samples.portraits()["mira"])]
    named = ["--table", "integrity", "pursing", "--models", "warp", "--threads", "1"]
    given = [*material, *named, "--seconds", "0.6", "--frames", "3", "--json", str(path)]
    assert command.main(["quality", *given]) == 0
    (result,) = read(path).results
    titles = [table.title for table in result.tables]
    assert "Layer integrity under shaken drivers" in titles
    assert {row.condition["on"] for row in result.rows} >= {"shaken drivers"}
    assert any(note.startswith("no pursing") for note in result.notes)
