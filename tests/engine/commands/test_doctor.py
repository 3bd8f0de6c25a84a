from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mien import bundles
from mien.commands import doctor
from mien.commands.doctor import CORE, OPTIONAL, Machine, Model, Parts, judge
from mien.machine.gpu import ListedGpu
from mien.manifest import Bundle

MACHINE = Machine("Linux 6 x86_64", "A Processor", ("avx2", "bf16"), 2, 16.0, (3, 11, 7), ())
PACKAGES: dict[str, str | None] = {**dict.fromkeys(CORE, "1.0"), **dict.fromkeys(OPTIONAL)}
PARTS = Parts("avx2", None, None, "PyAV 1.0, libx264")


def test_a_whole_installation_has_no_problem() -> None:
    report = judge(MACHINE, PACKAGES, PARTS)
    assert report.problems == report.notes == ()
    assert report.uses["pixels"] == "mien_kernels, avx2, 2 threads"
    assert report.uses["networks"] == "none: pip install 'mien[cpu]'"
    assert report.uses["telemetry"] == "off"
    assert "features   avx2, bf16" in report.as_text()
    assert report.as_text().endswith("all is well")


def test_runtimes_that_load_are_told_and_those_that_do_not_with_their_cure() -> None:
    lacking = {"openvino": "openvino: gone; pip install", "onnxruntime-cuda": "onnxruntime-cuda: no provider"}
    report = judge(MACHINE, PACKAGES, replace(PARTS, runtimes={"onnxruntime": "1.20"}, lacking=lacking))
    assert report.uses["networks"] == "onnxruntime 1.20"
    assert report.notes == ("openvino: gone; pip install",)  # without a GPU nobody misses CUDA
    assert not report.problems


def gpu_note(gpu: ListedGpu, parts: Parts = PARTS) -> str:
    report = judge(replace(MACHINE, gpus=(gpu,)), PACKAGES, parts)
    assert not report.problems
    (note,) = report.notes
    return note


def test_a_gpu_that_may_be_used_is_told_with_the_way_to_ask() -> None:
    parts = replace(PARTS, runtimes={"tensorrt": "10.13 on Some GPU", "onnxruntime-cuda": "1.31"})
    expected = "Some GPU is used where it is asked for: --backend tensorrt or onnxruntime-cuda"
    assert gpu_note(ListedGpu("Some GPU", "580.65.06"), parts) == expected


def test_a_gpu_without_a_driver_is_told_with_the_cure() -> None:
    assert gpu_note(ListedGpu("NVIDIA GPU 10de:2335", None)) == (
        "NVIDIA GPU 10de:2335 is there, but the processor is used: no driver answers for it (nvidia-smi); "
        "install NVIDIA's driver 580 or newer"
    )


def test_a_gpu_whose_driver_is_too_old_is_told_with_the_cure() -> None:
    assert gpu_note(ListedGpu("Some GPU", "535.104.05")) == (
        "Some GPU is there, but the processor is used: its driver 535.104.05 is older than CUDA 13 asks for; "
        "install NVIDIA's driver 580 or newer"
    )


def test_a_gpu_without_tensorrt_is_told_with_the_cure() -> None:
    gpu, why = ListedGpu("Some GPU", "590.44"), "tensorrt: it does not load; pip install 'mien[gpu]'"
    lacking = replace(PARTS, lacking={"tensorrt": why})
    assert gpu_note(gpu, lacking) == (f"Some GPU is there, but the processor is used: no runtime for it loads ({why})")
    assert gpu_note(gpu, replace(lacking, runtimes={"onnxruntime-cuda": "1.31"})) == (
        f"Some GPU is used where it is asked for: --backend onnxruntime-cuda; faster with TensorRT: {why}"
    )


def test_models_are_told_and_broken_ones_noted_or_a_problem() -> None:
    sound = Model("tiny", True, "oneshot-live xs in fp32; packaged", None)
    report = judge(MACHINE, PACKAGES, replace(PARTS, models=(sound,)))
    assert report.uses["model tiny"] == "oneshot-live xs in fp32; packaged"
    assert not report.notes + report.problems
    report = judge(MACHINE, PACKAGES, replace(PARTS, models=(replace(sound, packaged=False, fault="cut"),)))
    assert (report.notes, report.problems) == (("model tiny cannot be used: cut",), ())
    report = judge(MACHINE, PACKAGES, replace(PARTS, models=(replace(sound, fault="cut"),)))
    assert (report.notes, report.problems) == ((), ("model tiny is broken: cut",))
    assert "model tiny" not in report.uses


def test_models_are_read_in_full(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(bundles, "PACKAGED", bundle.folder.parent)
    (model,) = doctor._models()
    assert model == Model("tiny", True, "oneshot-live xs in fp32, int8, fp16; packaged", None)
    bundle.graph("generator").path.write_bytes(b"cut")
    (model,) = doctor._models()
    assert model.fault is not None
    assert "expected sha256" in model.fault


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


def test_report_has_a_json_form() -> None:
    form = json.loads(json.dumps(judge(MACHINE, PACKAGES, PARTS).as_json()))
    assert form["healthy"] is True
    assert form["machine"]["python"] == [3, 11, 7]
    assert form["packages"]["onnxruntime"] is None


def test_this_machine_is_examined() -> None:
    report = doctor.examine()
    assert report.machine.cores >= 1
    assert report.packages["numpy"]
    assert "model warp" in report.uses
    assert not report.problems, report.as_text()
