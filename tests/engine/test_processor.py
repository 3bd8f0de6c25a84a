from __future__ import annotations

import pytest

from mien.processor import described, this_processor

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
