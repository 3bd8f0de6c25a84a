from __future__ import annotations

from pathlib import Path

import pytest

from mien.machine.gpu import ListedGpu, listed_gpus

SMI = """#!/bin/sh
echo 'NVIDIA H200, 575.57.08'
echo 'NVIDIA RTX 6000, Ada, 580.65.06'
"""


def on_bus(folder: Path, name: str, **facts: str) -> None:
    (folder / name).mkdir()
    for fact, value in facts.items():
        (folder / name / fact).write_text(value + "\n")


def test_gpus_and_their_driver_come_from_the_drivers_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(SMI)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = listed_gpus()
    assert found == (ListedGpu("NVIDIA H200", "575.57.08"), ListedGpu("NVIDIA RTX 6000, Ada", "580.65.06"))
    assert [gpu.fault is None for gpu in found] == [False, True]


def test_without_a_driver_gpus_are_found_on_the_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    on_bus(tmp_path, "0000:00:01.0", vendor="0x10de", device="0x2335", **{"class": "0x030200"})
    on_bus(tmp_path, "0000:00:02.0", vendor="0x8086", device="0x1234", **{"class": "0x030000"})
    on_bus(tmp_path, "0000:00:03.0", vendor="0x10de", device="0x22bc", **{"class": "0x040300"})
    assert listed_gpus(tmp_path) == (ListedGpu("NVIDIA GPU 10de:2335", None),)


def test_a_machine_without_gpus_lists_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert listed_gpus(tmp_path) == ()
