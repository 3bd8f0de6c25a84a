"""What every output says of itself in its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version


def credit() -> str:
    """The one line that marks an output as synthetic."""
    return f"synthetic media, made with mien {_version()}"


def tags(record: Mapping[str, str]) -> dict[str, str]:
    """Container metadata: the credit, and the provenance record, flat, in fields that every container knows.

    Args:
        record: a sink's `metadata`; its entries are also kept one by one where the container allows any name.
    """
    flat = "; ".join(f"{key}={value}" for key, value in record.items())
    return {**record, "comment": credit(), "description": f"{credit()}; {flat}" if flat else credit()}


def _version() -> str:
    try:
        return version("mien")
    except PackageNotFoundError:  # run from a tree that is not installed
        return "of a source tree"
