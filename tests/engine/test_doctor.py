from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mien import doctor
from mien.doctor import CORE, OPTIONAL, Machine, Parts, judge

MACHINE = Machine("Linux 6 x86_64", "A Processor", 2, 16.0, (3, 11, 7), ())
PACKAGES: dict[str, str | None] = {**dict.fromkeys(CORE, "1.0"), **dict.fromkeys(OPTIONAL)}
PARTS = Parts("avx2", None, None, "PyAV 1.0, libx264")


def test_a_whole_installation_has_no_problem() -> None:
    report = judge(MACHINE, PACKAGES, PARTS)
    assert report.problems == report.notes == ()
    assert report.uses["pixels"] == "mien_kernels, avx2, 2 threads"
    assert report.as_text().endswith("all is well")


def test_both_onnxruntime_wheels_at_once_are_refused() -> None:
    packages = PACKAGES | {"onnxruntime": "1.20", "onnxruntime-gpu": "1.20"}
    (problem,) = judge(MACHINE, packages, PARTS).problems
    assert "both installed" in problem
    for one in ("onnxruntime", "onnxruntime-gpu"):
        assert not judge(MACHINE, PACKAGES | {one: "1.20"}, PARTS).problems


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (replace(PARTS, kernels_error="ImportError: gone"), "native kernels do not load (ImportError: gone)"),
        (replace(PARTS, landmarks_error="ImportError: libGL.so.1"), "apt install libgl1"),
        (replace(PARTS, encoder=None), "no H.264 encoder"),
    ],
)
def test_parts_that_do_not_load_are_problems_with_a_cure(parts: Parts, reason: str) -> None:
    (problem,) = judge(MACHINE, PACKAGES, parts).problems
    assert reason in problem


def test_missing_packages_and_unknown_pythons_are_problems() -> None:
    report = judge(replace(MACHINE, python=(3, 13, 0)), PACKAGES | {"av": None}, PARTS)
    assert len(report.problems) == 2


def test_a_gpu_that_stays_idle_is_said_loudly() -> None:
    report = judge(replace(MACHINE, gpus=("Some GPU",)), PACKAGES, PARTS)
    assert "Some GPU will not be used" in report.notes[0]
    assert not report.problems


def test_report_has_a_json_form() -> None:
    form = json.loads(json.dumps(judge(MACHINE, PACKAGES, PARTS).as_json()))
    assert form["healthy"] is True
    assert form["machine"]["python"] == [3, 11, 7]
    assert form["packages"]["onnxruntime"] is None


def test_this_machine_is_examined() -> None:
    report = doctor.examine()
    assert report.machine.cores >= 1
    assert report.packages["numpy"]
    assert not report.problems, report.as_text()
