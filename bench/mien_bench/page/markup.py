"""HTML and SVG elements as text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

Content = str | Iterable[str]


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
