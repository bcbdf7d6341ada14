"""The fold of the log, held to the golden fixtures that the browser's fold is held to as well."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest

from sessions_app.services import conversation
from sessions_app.services.texts import Text
from sidecar.protocol import messages

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "conversations").glob("*.json"))


def load(path: Path) -> Any:
    return json.loads(path.read_text())


def test_there_are_fixtures() -> None:
    assert len(FIXTURES) >= 8


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_fixture_folds_to_its_conversation(path: Path) -> None:
    fixture = load(path)
    assert conversation.fold(fixture["events"]) == fixture["conversation"]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_folding_leaves_the_events_as_they_are(path: Path) -> None:
    events = load(path)["events"]
    before = copy.deepcopy(events)
    conversation.fold(events)
    assert events == before


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_events_of_a_fixture_are_ones_that_the_log_would_store(path: Path) -> None:
    for event in load(path)["events"]:
        messages.check_data(event["kind"], event["data"])


def test_every_kind_is_in_a_fixture() -> None:
    kinds = {event["kind"] for path in FIXTURES for event in load(path)["events"]}
    assert set(messages.KINDS) <= kinds


def test_an_empty_log_is_an_empty_conversation() -> None:
    assert conversation.fold([]) == {
        "last_seq": 0,
        "gen": 0,
        "agent": None,
        "config": None,
        "turns": [],
        "notices": [],
    }


@pytest.mark.parametrize(
    ("old", "offset", "text", "new"),
    [
        ("", 0, "abc", "abc"),
        ("abc", 3, "def", "abcdef"),
        ("abc", 1, "X", "aXc"),
        ("abc", 2, "XYZ", "abXYZ"),
        ("abc", 9, "def", "abcdef"),  # a gap cannot be filled: what is known stays together
        ("a🙂c", 2, "d", "a🙂d"),  # offsets count characters, not bytes or UTF-16 units
        ("abc", 0, "", "abc"),
    ],
)
def test_text_stands_at_its_offset(old: str, offset: int, text: str, new: str) -> None:
    merged = Text(old)
    merged.put(offset, text)
    assert str(merged) == new


def test_a_long_text_of_many_small_pieces_costs_no_more_than_its_length() -> None:
    text = Text("x" * 4_000_000)
    before = time.process_time()
    for number in range(100_000):
        text.put(4_000_000 + number, "y")
        text.put(number, "z")
    # Copying it for each of them takes minutes.
    assert time.process_time() - before < 10
    assert str(text) == "z" * 100_000 + "x" * 3_900_000 + "y" * 100_000
