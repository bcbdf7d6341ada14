"""The page of measured figures has a place for all that is measured, and its tables can be replaced."""

from __future__ import annotations

import pytest

from tests import figures

TABLES = ("bench", "soak", "neighbours", "crowd")


def test_the_page_has_a_place_for_every_table() -> None:
    page = figures.PAGE.read_text()
    for name in TABLES:
        page = figures.put(page, name, f"the numbers of {name}")
    assert all(f"the numbers of {name}" in page for name in TABLES)


def test_a_table_takes_the_place_of_the_one_before_it() -> None:
    page = "before\n<!-- soak -->\n<!-- /soak -->\nafter\n"
    first = figures.put(page, "soak", "old numbers")
    assert figures.put(first, "soak", "new numbers") == figures.put(page, "soak", "new numbers")
    assert figures.put(page, "soak", "new numbers") == (
        "before\n<!-- soak -->\n\nnew numbers\n\n<!-- /soak -->\nafter\n"
    )


def test_a_page_without_a_place_is_said_to_have_none() -> None:
    with pytest.raises(ValueError, match="no place for soak"):
        figures.put("<!-- soak -->", "soak", "numbers")


def test_tables_are_markdown_with_columns_of_one_width() -> None:
    assert figures.table(["what", ""], [("a", "1"), ("longer", "22")]) == [
        "| what   |    |",
        "|--------|----|",
        "| a      | 1  |",
        "| longer | 22 |",
    ]
