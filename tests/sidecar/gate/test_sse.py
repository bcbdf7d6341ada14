"""Server-sent events are read the same however the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate.sse import EventReader

STREAMS = {
    b"data: one\n\ndata: two\n\n": [b"one", b"two"],
    b"data: one\r\n\r\ndata: two\r\n\r\n": [b"one", b"two"],
    b"data: one\r\rdata: two\r\r": [b"one", b"two"],
    b"data:one\n\n": [b"one"],
    b"data:  one\n\n": [b" one"],
    b"event: x\nid: 1\ndata: one\nretry: 5\n\n": [b"one"],
    b"data: one\ndata: two\n\n": [b"one\ntwo"],
    b": comment\n\ndata: one\n\n": [b"one"],
    b"\n\n\ndata: one\n\n\n\n": [b"one"],
    b"data: unfinished\n": [],
    b"data: unfinished": [],
    b"data:\n\n": [b""],
    "data: wörds 👩‍💻\n\n".encode(): ["wörds 👩‍💻".encode()],
    b"data: a\r\n\ndata: b\n\r\n": [b"a", b"b"],
}


@pytest.mark.parametrize("stream", STREAMS, ids=repr)
def test_events_are_found_at_every_cut(stream: bytes) -> None:
    for cut in range(len(stream) + 1):
        reader = EventReader()
        assert reader.feed(stream[:cut]) + reader.feed(stream[cut:]) == STREAMS[stream], cut
    reader = EventReader()
    single = [event for byte in stream for event in reader.feed(bytes([byte]))]
    assert single == STREAMS[stream]


@given(st.text(alphabet="da:t \r\n\x00é", max_size=60), st.lists(st.integers(0, 60), max_size=8))
def test_any_cut_gives_the_same_events(text: str, cuts: list[int]) -> None:
    stream = text.encode()
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader = EventReader()
    pieces = [stream[start:end] for start, end in pairwise(places)]
    assert [event for piece in pieces for event in reader.feed(piece)] == EventReader().feed(stream)


@given(st.integers(1, 40))
def test_an_event_that_is_too_long_is_skipped_and_the_next_is_read(size: int) -> None:
    stream = b"data: " + b"x" * 100 + b"\ndata: more\n\ndata: short\n\n"
    reader = EventReader(limit=50)
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [event for piece in pieces for event in reader.feed(piece)] == [b"short"]
    assert reader.skipped
    assert len(reader._line) == 0


def test_memory_is_bounded_by_the_limit() -> None:
    reader = EventReader(limit=1000)
    for _ in range(1000):
        assert reader.feed(b"data: " + b"x" * 90 + b"\n") == []
        assert sum(map(len, reader._data)) + len(reader._line) <= 1000
