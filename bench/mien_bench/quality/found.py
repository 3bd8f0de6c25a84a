"""What a part of the quality bench found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mien_bench.results import Check, Row, Strip, Table


@dataclass(frozen=True, slots=True)
class Found:
    """Rows, tables to stand beside a paper's, pictures, what could not be had, and what was promised."""

    rows: tuple[Row, ...] = ()
    tables: tuple[Table, ...] = ()
    strips: tuple[Strip, ...] = ()
    notes: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


def joined(parts: Sequence[Found]) -> Found:
    """All parts as one."""
    return Found(
        tuple(row for part in parts for row in part.rows),
        tuple(table for part in parts for table in part.tables),
        tuple(strip for part in parts for strip in part.strips),
        tuple(note for part in parts for note in part.notes),
        tuple(check for part in parts for check in part.checks),
    )
