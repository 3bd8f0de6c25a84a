"""Writes the tables of docs/http-api.md from the classes in `mien.serve.fields`.

`python -m mien.serve.reference docs/http-api.md` writes them anew between the marks `<!-- fields NAME -->` and
`<!-- end -->`; a test holds the page to them. `<!-- fields NAME beyond OTHER -->` leaves out what OTHER has.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterator
from pathlib import Path

from mien.serve.openapi import Schema, schemas

_MARKED = re.compile(r"(<!-- fields (\w+)(?: beyond (\w+))? -->\n).*?(<!-- end -->)", re.DOTALL)


def with_tables(page: str) -> str:
    """The page with every marked table as it is made now.

    Raises:
        KeyError: a mark names no class of `mien.serve.fields`.
    """
    found = schemas()

    def written(mark: re.Match[str]) -> str:
        known = found[mark[3]]["properties"] if mark[3] else {}
        return mark[1] + "".join(f"{row}\n" for row in _rows(found[mark[2]], known)) + mark[4]

    return _MARKED.sub(written, page)


def _rows(schema: Schema, known: Container[str]) -> Iterator[str]:
    yield from ("| field | value | meaning |", "|---|---|---|")
    for name, value in schema["properties"].items():
        optional = "" if name in schema["required"] else "?"
        if name not in known:
            yield f"| `{name}`{optional} | {_value(value)} | {value.get('description', '')} |"


def _value(schema: Schema) -> str:
    """What a field holds, in a few words."""
    if "anyOf" in schema:
        ways = [one for one in schema["anyOf"] if one.get("type") != "null" or "default" not in schema]
        return " or ".join(_value(one) for one in ways)
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"array of {_value(schema['items'])}"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"object of {_value(inner)}" if inner else "object"
    if kind == "string":
        return "text" + (f" of at most {schema['maxLength']:,} characters" if "maxLength" in schema else "")
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} from {schema['minimum']:g} to {schema['maximum']:g}"
    return str(kind)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.write_text(with_tables(place.read_text()))
