"""Readers of a feed are told what is new to them, and of what is stored only when the feed cannot show it."""

from __future__ import annotations

import pytest

from sessions_app import feeds
from sessions_app.feeds import Position


def frame(first: int, last: int, *, gen: int = 1, size: int = 10, asks: bool = False) -> feeds.Frame:
    return feeds.Frame(gen, first, last, "x" * size, asks)


@pytest.fixture
def feed() -> feeds.Feed:
    return feeds.Feed()


@pytest.fixture
def reader(feed: feeds.Feed) -> feeds.Reader:
    made = feeds.Reader()
    feed.readers.add(made)
    return made


def is_told(reader: feeds.Reader) -> bool:
    told = reader.changed.is_set()
    reader.changed.clear()
    return told


def test_what_readers_have_seen_live_wakes_nobody_when_it_is_stored(
    feed: feeds.Feed, reader: feeds.Reader
) -> None:
    feed.has_stored(Position(1, 0))
    is_told(reader)
    for seq in (1, 2, 3):
        feed.publish(frame(seq, seq))
        assert is_told(reader)
    for seq in (2, 3):
        feed.has_stored(Position(1, seq))
        assert feed.stored == (1, seq)
        assert not is_told(reader)


def test_what_the_feed_never_had_is_told_when_it_is_stored(feed: feeds.Feed, reader: feeds.Reader) -> None:
    feed.has_stored(Position(1, 4))
    assert is_told(reader)
    feed.publish(frame(5, 5))
    is_told(reader)
    feed.has_stored(Position(1, 6))
    assert is_told(reader)
    feed.has_stored(Position(1, 6))
    assert not is_told(reader)


def test_what_has_left_the_feed_is_told_when_it_is_stored(feed: feeds.Feed, reader: feeds.Reader) -> None:
    """A reader who stands between what was stored and what the feed has waits for exactly this."""
    feed.publish(frame(1, 1))
    feed.publish(frame(2, 2, size=feeds.FEED_CHARACTERS))
    assert feed.after(Position(1, 0)) is None
    is_told(reader)
    feed.has_stored(Position(1, 1))
    assert is_told(reader)
    feed.has_stored(Position(1, 2))
    assert not is_told(reader)


def test_a_new_generation_is_told_when_it_is_stored(feed: feeds.Feed, reader: feeds.Reader) -> None:
    feed.publish(frame(1, 3))
    feed.has_stored(Position(1, 3))
    is_told(reader)
    feed.has_stored(Position(2, 5))
    assert is_told(reader)
    feed.publish(frame(6, 6, gen=2))
    is_told(reader)
    feed.has_stored(Position(2, 6))
    assert not is_told(reader)
    feed.has_stored(Position(1, 9))
    assert feed.stored == (2, 6)
    assert not is_told(reader)


def test_what_asks_is_shown_when_it_is_stored_and_what_follows_comes_after_it(
    feed: feeds.Feed, reader: feeds.Reader
) -> None:
    feed.has_stored(Position(1, 0))
    first, asks, after = frame(1, 1), frame(2, 3, asks=True), frame(4, 4)
    for each in (first, asks, after):
        feed.publish(each)
    assert feed.after(Position(1, 0)) == first
    assert feed.after(Position(1, 1)) is None
    for seq in (1, 2):
        feed.has_stored(Position(1, seq))
        assert feed.after(Position(1, 1)) is None, "not all of it is stored"
    is_told(reader)
    feed.has_stored(Position(1, 3))
    assert is_told(reader)
    assert feed.after(Position(1, 1)) == asks
    assert feed.after(Position(1, 3)) == after, "which is not stored yet"
    feed.has_stored(Position(1, 4))
    assert not is_told(reader)


def test_each_that_asks_is_told_when_it_is_stored(feed: feeds.Feed, reader: feeds.Reader) -> None:
    feed.has_stored(Position(1, 0))
    for seq in (1, 2, 3):
        feed.publish(frame(seq, seq, asks=True))
    for seq in (1, 2, 3):
        is_told(reader)
        feed.has_stored(Position(1, seq))
        assert is_told(reader)
        assert feed.after(Position(1, seq - 1)) == frame(seq, seq, asks=True)


def test_what_an_ended_generation_asked_and_never_stored_is_not_shown(feed: feeds.Feed) -> None:
    feed.has_stored(Position(1, 1))
    feed.publish(frame(2, 2, asks=True))
    feed.has_stored(Position(2, 2))
    assert feed.after(Position(1, 1)) is None
