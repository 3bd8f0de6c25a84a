"""Every test that takes `isa` runs once for each instruction set that this machine has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mien_kernels import _native


@pytest.fixture(scope="module", params=_native.available_isas())
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    before = _native.selected_isa()
    assert _native.select_isa(request.param)
    yield request.param
    _native.select_isa(before)
