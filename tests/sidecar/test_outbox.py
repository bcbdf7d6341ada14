"""From `put` to a frame: sent at once when idle, merged while not, stopped and continued, never lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import time_machine

from sidecar import journal, outbox, segments
from sidecar.ledger import Ledger
from sidecar.outbox import Limits, Outbox
from sidecar.protocol import frames, messages, stream
from tests.fakes.disk import BadDisk

TURN = "7f1b7a52-3d0c-4f0e-9a55-0d6f6b1f0c01"
FIRST = 5


class Receiver:
    """The platform's end: what it was sent, in order and checked."""

    def __init__(self, box: Outbox) -> None:
        self.box = box
        self.incoming = stream.Incoming(last=FIRST - 1)
        self.events: list[messages.Event] = []

    def pull(self) -> int:
        """Take the frames that the link would send now; the number of frames."""
        count = 0
        while raw := self.box.next_frame():
            frame = frames.decode_up(raw)
            assert isinstance(frame, frames.Events)
            for event in frame.events:
                messages.check_event(event)
                if self.incoming.accept(event.seq):
                    self.events.append(event)
            count += 1
        return count

    def acknowledge(self) -> None:
        self.box.acknowledge(self.incoming.last)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def text(self, part: str = "p") -> str:
        text = ""
        for event in self.events:
            if event.kind == "message.delta" and event.data["part_id"] == part:
                text = text[: event.data["offset"]] + event.data["text"]
        return text


Opened = Callable[..., AbstractAsyncContextManager[Receiver]]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    @asynccontextmanager
    async def make(disk: journal.Disk | None = None, **limits: float) -> AsyncIterator[Receiver]:
        book = journal.Journal(tmp_path, disk=disk)
        ledger = Ledger(book, session="s", gen=1, instance="i", first=FIRST)
        box = Outbox(ledger, Limits(**limits))  # type: ignore[arg-type]
        yield Receiver(box)
        await box.close()

    return make


def delta(offset: int, text: str) -> messages.TextDelta:
    return messages.TextDelta(part_id="p", offset=offset, text=text)


async def stream_text(box: Outbox, pieces: int, size: int = 3) -> str:
    text = ""
    for number in range(pieces):
        piece = f"{number:0{size}}"
        await box.put("message.delta", delta(len(text), piece), turn=TURN)
        text += piece
    return text


async def test_an_event_goes_at_once_when_the_link_is_idle(opened: Opened) -> None:
    async with opened() as receiver:
        await receiver.box.put("message.delta", delta(0, "a"), turn=TURN)
        assert receiver.box.ready.is_set()
        assert receiver.pull() == 1
        (event,) = receiver.events
        assert (event.seq, event.gen, event.turn, event.data["text"]) == (FIRST, 1, TURN, "a")
        assert not receiver.box.ready.is_set()


async def test_what_comes_together_is_one_event(opened: Opened) -> None:
    async with opened() as receiver:
        text = await stream_text(receiver.box, 50)
        assert receiver.pull() == 1
        assert len(receiver.events) == 1 and receiver.text() == text


async def test_what_waits_too_long_is_journaled_without_a_link(opened: Opened, tmp_path: Path) -> None:
    async with opened() as receiver:
        text = await stream_text(receiver.box, 10)
        await receiver.box.durable()
        (name,) = segments.names(tmp_path)
        assert len(segments.read(tmp_path / str(name)).events) == 1
        text += "more"
        await receiver.box.put("message.delta", delta(len(text) - 4, "more"), turn=TURN)
        await asyncio.sleep(outbox.MERGE_SECONDS * 2)
        assert len(segments.read(tmp_path / str(name)).events) == 2
        receiver.pull()
        assert receiver.text() == text


async def test_beginnings_and_ends_are_journaled_at_once(opened: Opened, tmp_path: Path) -> None:
    async with opened() as receiver:
        receiver.box.emit("turn.started", messages.TurnStarted(prompt="do"), turn=TURN)
        (name,) = segments.names(tmp_path)
        assert len(segments.read(tmp_path / str(name)).events) == 1
        receiver.pull()


async def test_nothing_is_sent_beyond_the_credit(opened: Opened) -> None:
    async with opened(bytes_per_second=1e9, events_per_second=1e9) as receiver:
        for number in range(150):
            plan = messages.Plan(entries=[messages.PlanEntry(content="x" * 10_000)])
            await receiver.box.put("plan", plan, turn=None if number % 2 else TURN)
            receiver.pull()
        sent = len(receiver.events)
        assert sent * 10_000 <= stream.CREDIT_BYTES < (sent + 3) * 10_100
        receiver.acknowledge()
        while receiver.pull():
            receiver.acknowledge()
        await receiver.box.settled()


async def test_a_new_connection_gets_what_is_not_stored(opened: Opened) -> None:
    async with opened() as receiver:
        text = await stream_text(receiver.box, 3)
        receiver.pull()
        await receiver.box.put("message.delta", delta(len(text), "!"), turn=TURN)
        lost = receiver.box.next_frame()
        assert lost is not None
        receiver.box.resume(receiver.incoming.last)
        assert receiver.pull() == 1
        receiver.acknowledge()
        await receiver.box.settled()
        assert receiver.text() == text + "!"


async def test_a_full_journal_stops_the_agent_until_something_is_acknowledged(opened: Opened) -> None:
    async with opened(
        journal_bytes=200_000, waiting_bytes=50_000, bytes_per_second=1e9, events_per_second=1e9
    ) as receiver:
        agent = asyncio.create_task(stream_text(receiver.box, 300, size=4_000))
        for _ in range(20):
            await asyncio.sleep(outbox.MERGE_SECONDS)
        assert not agent.done()
        kept = receiver.box._ledger.bytes_kept
        assert 200_000 <= kept <= 200_000 + outbox.BATCH_BYTES * 2
        while not agent.done():
            receiver.pull()
            receiver.acknowledge()
            await asyncio.sleep(0.005)
        receiver.pull()
        receiver.acknowledge()
        receiver.pull()
        assert receiver.text() == agent.result()
        assert "events.suppressed" not in receiver.kinds()


async def test_a_full_disk_is_said_and_nothing_is_lost(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(outbox, "RETRY_SECONDS", 0.02)
    bad = BadDisk(tmp_path)
    async with opened(disk=bad.disk(), waiting_bytes=20_000) as receiver:
        text = await stream_text(receiver.box, 5)
        receiver.pull()
        bad.room = 600
        agent = asyncio.create_task(_continue(receiver.box, text))
        while not receiver.box._ledger.is_stalled:
            await asyncio.sleep(0.01)
        receiver.pull()
        assert receiver.events[-1].kind == "error" and receiver.events[-1].data["class"] == "disk_full"
        await asyncio.sleep(0.1)
        assert not agent.done() and receiver.kinds().count("error") == 1
        bad.room = 1 << 30
        text = await agent
        await receiver.box.durable()
        receiver.pull()
        receiver.acknowledge()
        receiver.pull()
        assert receiver.text() == text
        assert not receiver.box._ledger.is_stalled


async def _continue(box: Outbox, text: str) -> str:
    for _ in range(100):
        await box.put("message.delta", delta(len(text), "y" * 9000), turn=TURN)
        text += "y" * 9000
    return text


async def test_a_disk_that_loses_what_it_took_is_written_again(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(outbox, "RETRY_SECONDS", 0.01)
    bad = BadDisk(tmp_path, failing_syncs=2)
    async with opened(disk=bad.disk()) as receiver:
        receiver.box.emit("turn.started", messages.TurnStarted(prompt="do"), turn=TURN)
        await asyncio.wait_for(receiver.box.durable(), 5)
        newest = segments.names(tmp_path)[-1]
        assert [seq for seq, _ in segments.read(tmp_path / str(newest)).events] == [FIRST, FIRST + 1]
        receiver.pull()
        assert receiver.kinds() == ["turn.started", "error"]


async def test_a_flood_of_one_kind_becomes_a_count_and_text_comes_through(opened: Opened) -> None:
    async with opened(events_per_second=100, waiting_events=20) as receiver:
        for number in range(3000):
            changed = messages.FileChanged(path=f"f{number}")
            await receiver.box.put("file.changed", changed, turn=TURN)
        text = asyncio.create_task(stream_text(receiver.box, 20))
        receiver.box.emit("turn.ended", messages.TurnEnded(stop_reason="end_turn"), turn=TURN)
        receiver.box.lift_budget()
        expected = await text
        await receiver.box.durable()
        receiver.pull()
        kinds = receiver.kinds()
        suppressed = [event.data for event in receiver.events if event.kind == "events.suppressed"]
        assert all(data["kind"] == "file.changed" for data in suppressed)
        assert kinds.count("file.changed") + sum(data["count"] for data in suppressed) == 3000
        assert len(kinds) < 1500 and "turn.ended" in kinds and receiver.text() == expected


async def test_a_flood_of_text_is_merged_harder_and_never_lost(opened: Opened) -> None:
    async with opened(events_per_second=20, waiting_events=20) as receiver:
        agent = asyncio.create_task(_chatter(receiver.box))
        while not agent.done():
            receiver.pull()
            await asyncio.sleep(0.01)
        receiver.box.lift_budget()
        receiver.pull()
        assert receiver.text() == agent.result()
        assert len(receiver.events) < 200


async def _chatter(box: Outbox) -> str:
    text = ""
    for number in range(3000):
        await box.put("message.delta", delta(len(text), "ab"), turn=TURN)
        text += "ab"
        if number % 10 == 0:
            await asyncio.sleep(0)
    return text


async def test_a_wall_clock_that_jumps_changes_nothing_but_the_time_shown(opened: Opened) -> None:
    async with opened() as receiver:
        for moment in ("2026-11-22T10:00:00Z", "2026-11-22T09:00:00Z", "2026-11-22T12:00:00Z"):
            with time_machine.travel(moment, tick=False):
                await receiver.box.put("plan", messages.Plan(entries=[]), turn=TURN)
                receiver.pull()
        assert [event.seq for event in receiver.events] == [FIRST, FIRST + 1, FIRST + 2]
        assert [event.ts[11:13] for event in receiver.events] == ["10", "09", "12"]


async def test_data_that_does_not_fit_gets_no_number(opened: Opened) -> None:
    async with opened() as receiver:
        with pytest.raises(messages.MessageError):
            await receiver.box.put("message.delta", messages.Plan(entries=[]), turn=TURN)
        assert receiver.pull() == 0


async def test_an_event_costs_little(opened: Opened) -> None:
    """The target is 60 µs on a quiet machine; the bound here only catches what is slow by its design."""
    async with opened(events_per_second=1e9, bytes_per_second=1e9) as receiver:
        started = time.process_time()  # Others may be busy here too.
        for number in range(2000):
            data = messages.TextDelta(part_id=f"p{number % 7}", offset=number, text="some words of text")
            await receiver.box.put("message.delta", data, turn=TURN)
            receiver.box.next_frame()
            receiver.box.acknowledge(receiver.box._ledger.last_seq)
        assert (time.process_time() - started) / 2000 < 600e-6
