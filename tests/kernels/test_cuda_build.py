"""What nvcc made: code for every processor that is named, and PTX for those between and after."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import struct
from collections import Counter
from pathlib import Path

import pytest

CODE = (75, 80, 86, 89, 90, 100, 120)
PTX = (75, 120)
FAT_HEADER = struct.Struct("<IHHQ")  # magic, version, bytes of this header, bytes that follow
ENTRY_HEADER = struct.Struct("<HHIQ12xI")  # kind, options, bytes of this header, bytes that follow; processor
MAGIC = struct.pack("<I", 0xBA55ED50)
KINDS = {1: "ptx", 2: "code"}


def found(module: bytes) -> Counter[tuple[str, int]]:
    """How often each kind of code is there for each processor, over all fat binaries of a shared object."""
    counts: Counter[tuple[str, int]] = Counter()
    for match in re.finditer(re.escape(MAGIC), module):
        _, version, header, length = FAT_HEADER.unpack_from(module, match.start())
        if (version, header) != (1, FAT_HEADER.size):
            continue
        at, end = match.end() - len(MAGIC) + header, match.start() + header + length
        while at < end:
            kind, _, entry, size, processor = ENTRY_HEADER.unpack_from(module, at)
            counts[KINDS[kind], processor] += 1
            at += entry + size
    return counts


def test_code_for_every_processor() -> None:
    spec = importlib.util.find_spec("mien_kernels._cuda")
    if spec is None or spec.origin is None:
        if os.environ.get("MIEN_REQUIRE_NVCC") == "1":
            pytest.fail("this build has no CUDA kernels, and MIEN_REQUIRE_NVCC=1")
        pytest.skip(f"this build has no CUDA kernels; nvcc: {shutil.which('nvcc')}")
    counts = found(Path(spec.origin).read_bytes())
    assert set(counts) == {*(("code", name) for name in CODE), *(("ptx", name) for name in PTX)}
    assert len(set(counts.values())) == 1  # every file for each of them
