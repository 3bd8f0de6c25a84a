from __future__ import annotations

import re
from pathlib import Path

import pytest

from mien.serve import fields
from mien.serve.reference import with_tables

PAGE = Path(__file__).parents[3] / "docs/http-api.md"


def test_the_page_has_the_tables_that_are_made_of_the_fields() -> None:
    page = PAGE.read_text()
    assert with_tables(page) == page, "python -m mien.serve.reference docs/http-api.md writes them anew"


def test_every_object_of_more_than_a_list_has_a_table_on_the_page() -> None:
    marked = set(re.findall(r"<!-- fields (\w+)", PAGE.read_text()))
    lists = {fields.Sessions, fields.Portraits, fields.Models}
    alike = {fields.SomeGains, fields.Status, fields.Error, fields.Fault}  # told in words beside them
    assert marked == {one.__name__ for one in {*fields.REQUESTS, *fields.ANSWERS} - lists - alike}


def test_a_mark_without_such_a_class_is_refused() -> None:
    with pytest.raises(KeyError):
        with_tables("<!-- fields Nobody -->\n<!-- end -->\n")
