from __future__ import annotations

import os
from pathlib import Path

import pytest

from mien.machine.processor import described, is_calm, this_processor, waited

X86 = "processor\t: 0\nmodel name\t: A Processor @ 2.6GHz\nflags\t\t: fpu avx2 avx512f {} sse2\n\nprocessor\t: 1\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp bf16\n"


@pytest.mark.parametrize(
    ("information", "features"),
    [
        (X86.format(""), ("avx2", "avx512")),
        (X86.format("avx512_vnni avx512_bf16"), ("avx2", "avx512", "vnni", "bf16")),
        (X86.format("avx_vnni amx_tile amx_bf16"), ("avx2", "avx512", "vnni", "bf16", "amx")),
        (ARM, ("vnni", "bf16")),
        ("", ()),
    ],
)
def test_features_are_read_from_the_kernels_words(information: str, features: tuple[str, ...]) -> None:
    assert described(information).features == features


def test_the_name_is_the_kernels_or_the_platforms() -> None:
    assert described(X86.format("")).name == "A Processor @ 2.6GHz"
    assert described("").name


def test_this_processor_has_a_name() -> None:
    assert this_processor().name


def test_waiting_for_a_processor_is_summed_over_threads(tmp_path: Path) -> None:
    for thread, text in {"1": "5 2000000000 7", "2": "5 500000000 7", "3": ""}.items():
        (tmp_path / thread).mkdir()
        (tmp_path / thread / "schedstat").write_text(text)
    assert waited(tmp_path) == 2.5
    assert waited(tmp_path / "nowhere") == 0


@pytest.mark.parametrize(("load", "calm"), [(0.0, True), (1.9, True), (2.1, False)])
def test_a_machine_is_calm_while_few_threads_want_to_run(
    load: float, calm: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 9.0, 9.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert is_calm() == calm
