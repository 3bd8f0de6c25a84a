"""Importing the kernels costs NumPy and little else, and the instruction set can be forced from outside."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mien_kernels import _native

HEAVY = ("torch", "cv2", "mediapipe", "scipy", "onnxruntime", "cupy", "mien")


def run(code: str, **environment: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return finished.stdout.strip()


def test_import_pulls_in_nothing_heavy() -> None:
    loaded = run("import sys, mien_kernels.ops, mien_kernels.reference; print(*sys.modules)").split()
    assert not {name.partition(".")[0] for name in loaded} & set(HEAVY)


@pytest.mark.parametrize("isa", _native.available_isas())
def test_the_environment_forces_an_instruction_set(isa: str) -> None:
    assert run("from mien_kernels import _native; print(_native.selected_isa())", MIEN_ISA=isa) == isa


def test_an_unknown_instruction_set_is_refused() -> None:
    code = "import mien_kernels.ops"
    finished = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"MIEN_ISA": "mmx"}, capture_output=True, text=True
    )
    assert finished.returncode != 0
    assert "MIEN_ISA: expected one of baseline" in finished.stderr
    assert "got mmx" in finished.stderr


def test_selecting_an_unknown_instruction_set_changes_nothing() -> None:
    before = _native.selected_isa()
    assert not _native.select_isa("mmx")
    assert _native.selected_isa() == before
