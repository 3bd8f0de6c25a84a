"""What is touched of aiortc's and aioice's insides is there; a version without it is refused in one line."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from mien.errors import BackendError
from mien.serve.webrtc import inside

PARTS = [(owner, name) for owner, names in inside.TOUCHED for name in names]


@pytest.fixture(autouse=True)
def _unchecked() -> Iterator[None]:
    inside.check.cache_clear()
    yield
    inside.check.cache_clear()


def test_all_that_is_touched_is_there() -> None:
    inside.check()


@pytest.mark.parametrize(("owner", "name"), PARTS)
def test_a_version_without_a_part_is_refused(
    owner: type | ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if another version had renamed it."""
    touched = tuple((one, names if one is not owner else (*names, f"{name}_")) for one, names in inside.TOUCHED)
    monkeypatch.setattr(inside, "TOUCHED", touched)
    with pytest.raises(BackendError, match=f"expected {owner.__name__} with {name}_, as 1.16 has, got none"):
        inside.check()
