"""docs/events.md tells every kind of event with all of its fields, and nothing that does not exist."""

from __future__ import annotations

import re
from typing import get_args

import msgspec
import pytest

from sidecar.protocol import messages
from tests.architecture import sources

PAGE = (sources.CHECKOUT / "docs" / "events.md").read_text()


def sections() -> dict[str, str]:
    """The text below each kind's heading."""
    parts = re.split(r"^#### `([a-z.]+)`$", PAGE, flags=re.MULTILINE)
    return {
        kind: re.split(r"^#", text, flags=re.MULTILINE)[0]
        for kind, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def fields_of(section: str) -> set[str]:
    """The names in the first column of its first table."""
    table = section.split("\n\n| class |")[0]
    cells = re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def choices_in(struct: type[msgspec.Struct]) -> set[str]:
    """Every word that a field of `struct` may be limited to."""
    found: set[str] = set()
    for field in msgspec.structs.fields(struct):
        for part in (field.type, *get_args(field.type)):
            found |= {value for value in get_args(part) if isinstance(value, str)}
    return found


def test_every_kind_is_documented_and_every_documented_one_exists() -> None:
    assert sections().keys() == messages.KINDS.keys()


@pytest.mark.parametrize("kind", messages.KINDS)
def test_every_field_of_a_kind_is_documented(kind: str) -> None:
    section = sections()[kind]
    assert fields_of(section) == {field.encode_name for field in msgspec.structs.fields(messages.KINDS[kind])}


@pytest.mark.parametrize("kind", [kind for kind in messages.KINDS if choices_in(messages.KINDS[kind])])
def test_every_choice_of_a_kind_is_documented(kind: str) -> None:
    section = sections()[kind]
    assert {choice for choice in choices_in(messages.KINDS[kind]) if f"`{choice}`" not in section} == set()


def test_every_field_of_the_envelope_is_documented() -> None:
    envelope = PAGE.split("## The envelope")[1].split("## Kinds")[0]
    assert fields_of(envelope) == {*messages.Event.__struct_fields__, "seq_end"}


def test_every_kind_says_who_writes_it() -> None:
    assert [kind for kind, section in sections().items() if not section.strip().startswith("By the ")] == []
