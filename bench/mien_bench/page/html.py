"""HTML and SVG elements as text, and rows as a table with a drawing of how far repetitions lie apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from mien_bench.formatting import condition_text, number
from mien_bench.results import Fact, Row

Content = str | Iterable[str]
WIDTH, HEIGHT = 180, 18
_MIDDLE = HEIGHT / 2
ARROWS: Final = {"lower": "less is better", "higher": "more is better", "neither": ""}


class Markup(str):
    """Text that is markup already; all other text is escaped."""

    __slots__ = ()


def tag(name: str, *content: Content, **attributes: str | float | None) -> Markup:
    """An element. `class_` stands for class, `_` in other names for `-`; an attribute that is None is left out."""
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    written = "".join(f' {key}="{_value(value)}"' for key, value in given.items())
    inside = "".join(_inside(part) for part in content)
    return Markup(f"<{name}{written}>{inside}</{name}>")


def _inside(content: Content) -> str:
    if isinstance(content, Markup):
        return content
    return escape(content) if isinstance(content, str) else "".join(map(_inside, content))


def _value(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def figures(rows: Sequence[Row]) -> Markup:
    """All rows, those of one name together and on one scale; what holds for all of them is said once above."""
    common = _common(rows)
    said = tag("p", f"All under: {condition_text(common)}.", class_="quiet") if common else ""
    head = tag("tr", *(tag("th", name) for name in ("", "under", "median", "", "quartiles", "", "of")))
    groups = _by_name(rows)
    body = [line for group in groups for line in _group(group, common)]
    table = tag("table", tag("thead", head), tag("tbody", body), class_="figures")
    return tag("div", said, tag("div", table, class_="scroll"))


def _by_name(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows of one name and unit together, in the order in which names came."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.name, row.unit), []).append(row)
    return list(groups.values())


def _group(rows: Sequence[Row], common: Mapping[str, Fact]) -> list[Markup]:
    most = max(max(row.values) for row in rows)
    least = min(0.0, *(min(row.values) for row in rows))
    drawn = len(rows) > 1 or any(len(row.values) > 1 for row in rows)
    return [_row(row, index == 0, common, _spread(row, least, most) if drawn else "") for index, row in enumerate(rows)]


def _row(row: Row, first: bool, common: Mapping[str, Fact], drawing: Markup | str) -> Markup:
    own = {name: value for name, value in row.condition.items() if name not in common}
    low, high = row.spread
    several = len(row.values) > 1
    name = (tag("strong", row.name), " ", tag("span", ARROWS[row.better], class_="quiet")) if first else ()
    return tag(
        "tr",
        tag("th", *name, scope="row"),
        tag("td", condition_text(own), tag("div", row.note, class_="quiet") if row.note else ""),
        tag("td", number(row.median), class_="number"),
        tag("td", row.unit, class_="unit"),
        tag("td", f"{number(low)} to {number(high)}" if several else "", class_="number quiet"),
        tag("td", drawing),
        tag("td", _count(row), class_="quiet count"),
        class_=f"{'first' if first else ''} {row.better}",
    )


def _count(row: Row) -> str:
    """How many values there are, and of what, where that is not repetitions."""
    count = len(row.values)
    plural = "" if count == 1 or row.each.endswith("s") else "s"
    return str(count) if row.each == "repetition" else f"{count} {row.each}{plural}"


def _spread(row: Row, least: float, most: float) -> Markup:
    """A bar from 0 to the median, a thicker one between the quartiles, a dot for each value."""
    wide = (most - least) or 1.0

    def at(value: float) -> float:
        return 3 + (value - least) / wide * (WIDTH - 6)

    low, high = row.spread
    begin, end = sorted((at(0.0), at(row.median)))
    parts = [tag("rect", x=begin, y=_MIDDLE - 2, width=end - begin, height=4, rx=2, class_="bar")]
    if len(row.values) > 1:
        parts.append(
            tag("rect", x=at(low), y=_MIDDLE - 5, width=max(at(high) - at(low), 1), height=10, class_="quartiles")
        )
        parts += [tag("circle", cx=at(value), cy=_MIDDLE, r=1.6, class_="value") for value in row.values[:60]]
    parts.append(tag("line", x1=at(row.median), x2=at(row.median), y1=2, y2=HEIGHT - 2, class_="median"))
    words = ", ".join(map(number, row.values[:20]))
    return tag("svg", tag("title", words), parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="spread", width=WIDTH)


def _common(rows: Sequence[Row]) -> dict[str, Fact]:
    if len(rows) < 2:
        return {}
    first, *others = rows
    return {
        name: value
        for name, value in first.condition.items()
        if all(row.condition.get(name) == value for row in others)
    }
