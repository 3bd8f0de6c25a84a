"""Figures, conditions and whole results as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mien_bench.results import Check, Fact, Result, Row, Table

_NAME = 44
_CONDITION = 58


def as_text(result: Result) -> str:
    """A result as text: tables or rows, checks, notes, and how steady the machine was."""
    parts = ["", f"{result.bench}: {result.about}"]
    parts += [line for table in result.tables for line in _table(table)]
    parts += _rows(result.rows) if not result.tables else [f"{len(result.rows)} figures, in --json and --html"]
    parts += [_check(check) for check in result.checks]
    parts += [f"note: {note}" for note in result.notes]
    parts.append(f"machine {result.steadiness.words}" if result.steadiness.words else "")
    return "\n".join(parts).rstrip()


def number(value: float) -> str:
    """At least three significant digits."""
    size = abs(value)
    if size >= 1e5 or 0 < size < 1e-3:
        return f"{value:.2e}"
    return (
        f"{value:.0f}"
        if size >= 100
        else f"{value:.1f}"
        if size >= 10
        else f"{value:.2f}"
        if size >= 1
        else f"{value:.3f}"
    )


def condition_text(condition: Mapping[str, Fact]) -> str:
    """A condition in words: what is true is named, what is false is "no", all else has its value."""
    words = {True: "{}", False: "no {}"}
    return ", ".join(
        words[value].format(name) if isinstance(value, bool) else f"{name} {value}" for name, value in condition.items()
    )


def _rows(rows: Sequence[Row]) -> Iterator[str]:
    if rows:
        yield f"{'':<{_NAME}}{'median':>10}{'quartiles':>20}  {'':<8}{'of':>5}  under"
    for row in rows:
        low, high = row.spread
        spread = f"{number(low)} .. {number(high)}" if len(row.values) > 1 else ""
        note = f" ({row.note})" if row.note else ""
        values = f"{number(row.median):>10}{spread:>20}  {row.unit:<8}{len(row.values):>5}"
        yield f"{row.name:<{_NAME}}{values}  {condition_text(row.condition)[:_CONDITION]}{note}"


def _check(check: Check) -> str:
    return f"{'ok  ' if check.kept else 'FAIL'}  {check.name:<40}{check.got:>16}   wanted {check.wanted}"


def _table(table: Table) -> Iterator[str]:
    widths = [max(len(row[i]) for row in (table.columns, *table.rows)) + 2 for i in range(len(table.columns))]
    yield ""
    yield table.title
    for row in (table.columns, *table.rows):
        yield row[0].ljust(widths[0]) + "".join(
            cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)
        )
    yield from table.notes
