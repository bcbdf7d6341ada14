"""The bookkeeping of a numbered stream: single cases by name, then every mixture of faults by Hypothesis."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sidecar.protocol import frames, messages, stream


def test_numbers_begin_where_they_are_told_to() -> None:
    outgoing = stream.Outgoing(first=413)
    assert outgoing.append(b"a") == 413
    assert outgoing.append(b"b") == 414
    assert outgoing.take() == [b"a", b"b"]


def test_entries_are_sent_in_frames_of_limited_size() -> None:
    outgoing = stream.Outgoing()
    for _ in range(5):
        outgoing.append(b"x" * 40)
    assert [len(outgoing.take(100)) for _ in range(4)] == [2, 2, 1, 0]


def test_sending_stops_when_the_credit_is_used_up_and_goes_on_when_acknowledged() -> None:
    outgoing = stream.Outgoing(credit=100)
    for _ in range(4):
        outgoing.append(b"x" * 40)
    assert len(outgoing.take()) == 2
    assert outgoing.take() == []
    outgoing.acknowledge(1)
    assert len(outgoing.take()) == 1
    assert outgoing.bytes_in_flight == 80
    assert not outgoing.is_idle


def test_an_entry_larger_than_the_credit_goes_alone() -> None:
    outgoing = stream.Outgoing(credit=10)
    outgoing.append(b"x" * 50)
    outgoing.append(b"y")
    assert outgoing.take() == [b"x" * 50]
    assert outgoing.take() == []
    outgoing.acknowledge(1)
    assert outgoing.take() == [b"y"]


def test_a_reconnect_sends_again_what_is_not_stored() -> None:
    outgoing = stream.Outgoing()
    for entry in (b"1", b"2", b"3", b"4"):
        outgoing.append(entry)
    outgoing.take(3)
    outgoing.acknowledge(1)
    outgoing.resume(2)
    assert outgoing.acknowledged == 2
    assert outgoing.take() == [b"3", b"4"]
    assert outgoing.unacknowledged() == [b"3", b"4"]


def test_nothing_stored_of_this_generation_means_everything_is_sent() -> None:
    outgoing = stream.Outgoing(first=100)
    outgoing.append(b"a")
    outgoing.take()
    outgoing.resume(0)
    assert outgoing.take() == [b"a"]
    outgoing.acknowledge(100)
    assert outgoing.is_settled and outgoing.bytes_kept == 0


def test_an_old_acknowledgement_changes_nothing() -> None:
    outgoing = stream.Outgoing()
    outgoing.append(b"a")
    outgoing.take()
    outgoing.acknowledge(1)
    outgoing.acknowledge(1)
    outgoing.acknowledge(0)
    assert outgoing.acknowledged == 1


def test_an_acknowledgement_of_what_was_never_sent_is_an_error() -> None:
    outgoing = stream.Outgoing()
    outgoing.append(b"a")
    with pytest.raises(stream.StreamError, match="had not been sent"):
        outgoing.acknowledge(1)


def test_a_platform_that_lost_acknowledged_events_is_an_error() -> None:
    outgoing = stream.Outgoing()
    outgoing.append(b"a")
    outgoing.take()
    outgoing.acknowledge(1)
    with pytest.raises(stream.StreamError, match="missing"):
        outgoing.resume(0)


def test_a_platform_that_holds_more_than_was_made_is_an_error() -> None:
    with pytest.raises(stream.StreamError, match="never made"):
        stream.Outgoing(first=5).resume(5)


def test_a_repeat_is_dropped_and_a_gap_is_refused() -> None:
    incoming = stream.Incoming(last=7)
    assert not incoming.accept(7)
    assert incoming.accept(8)
    assert not incoming.accept(8)
    with pytest.raises(stream.Gap) as gap:
        incoming.accept(10)
    assert (gap.value.expected, gap.value.number) == (9, 10)
    assert incoming.last == 8


def test_an_encoded_event_reads_back_as_the_event() -> None:
    raw = stream.encode_event(
        seq=4, gen=2, turn=None, ts="2026-11-22T10:00:00.123Z", kind="plan", data=b'{"entries":[]}'
    )
    expected = messages.Event(
        seq=4, gen=2, turn=None, ts="2026-11-22T10:00:00.123Z", kind="plan", data={"entries": []}
    )
    assert frames.decode_up(stream.events_frame([raw, raw])) == frames.Events(events=[expected, expected])
    for done in (True, False):
        salvage = stream.salvage_frame(gen=2, events=[raw], done=done)
        assert frames.decode_up(salvage) == frames.Salvage(gen=2, events=[expected], done=done)
    assert frames.decode_up(stream.salvage_frame(gen=3, events=[], done=True)) == frames.Salvage(
        gen=3, events=[], done=True
    )


class FaultyLink(RuleBasedStateMachine):
    """One sender, one receiver, and a network that loses, repeats, reorders and breaks; then it heals."""

    FIRST = 31
    CREDIT = 60

    def __init__(self) -> None:
        super().__init__()
        self.sender = stream.Outgoing(first=self.FIRST, credit=self.CREDIT)
        self.receiver = stream.Incoming(last=self.FIRST - 1)
        self.made: list[bytes] = []
        self.stored: list[bytes] = []
        self.up: list[list[tuple[int, bytes]]] = []
        self.down: list[int] = []

    @rule(size=st.integers(1, 90))
    def make(self, size: int) -> None:
        entry = b"%d:" % len(self.made) + b"x" * size
        assert self.sender.append(entry) == self.FIRST + len(self.made)
        self.made.append(entry)

    @rule(limit=st.integers(1, 80))
    def send(self, limit: int) -> None:
        first = self.sender.last - len(self.sender.unacknowledged()) + 1
        before = self.sender.bytes_in_flight
        sent_already = len(self._in_flight())
        taken = self.sender.take(limit)
        if taken:
            start = first + sent_already
            self.up.append([(start + index, entry) for index, entry in enumerate(taken)])
            assert self.sender.bytes_in_flight <= self.CREDIT or (before == 0 and len(taken) == 1)

    def _in_flight(self) -> list[bytes]:
        kept = self.sender.unacknowledged()
        size = 0
        for index, entry in enumerate(kept):
            if size == self.sender.bytes_in_flight:
                return kept[:index]
            size += len(entry)
        return kept

    @precondition(lambda self: self.up)
    @rule(data=st.data())
    def deliver_any(self, data: st.DataObject) -> None:
        self._receive(self.up.pop(data.draw(st.integers(0, len(self.up) - 1))))

    @precondition(lambda self: self.up)
    @rule()
    def deliver_in_order(self) -> None:
        self._receive(self.up.pop(0))

    @precondition(lambda self: self.up)
    @rule()
    def deliver_twice(self) -> None:
        self._receive(self.up[0])

    @precondition(lambda self: self.up)
    @rule()
    def lose_a_frame(self) -> None:
        self.up.pop(0)

    @precondition(lambda self: self.down)
    @rule(data=st.data(), repeat=st.booleans())
    def acknowledge_any(self, data: st.DataObject, repeat: bool) -> None:
        index = data.draw(st.integers(0, len(self.down) - 1))
        self.sender.acknowledge(self.down[index] if repeat else self.down.pop(index))

    @rule()
    def reconnect(self) -> None:
        self.up.clear()
        self.down.clear()
        self.sender.resume(self.receiver.last if self.stored else 0)

    def _receive(self, frame: list[tuple[int, bytes]]) -> None:
        try:
            for number, entry in frame:
                if self.receiver.accept(number):
                    self.stored.append(entry)
        except stream.Gap:
            self.reconnect()
        else:
            self.down.append(self.receiver.last)

    @invariant()
    def stored_is_a_prefix_of_what_was_made(self) -> None:
        assert self.stored == self.made[: len(self.stored)]

    def teardown(self) -> None:
        self.reconnect()
        while not self.sender.is_settled:
            self.send(1000)
            while self.up:
                self.deliver_in_order()
            while self.down:
                self.sender.acknowledge(self.down.pop(0))
        assert self.stored == self.made
        assert self.sender.bytes_kept == 0


TestFaultyLink = FaultyLink.TestCase
TestFaultyLink.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
