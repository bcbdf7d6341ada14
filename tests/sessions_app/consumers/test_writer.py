"""Events of all links are stored together; what is wrong with one session's hurts no other."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import msgspec
import pytest
from asgiref.sync import sync_to_async

from openagent.accounts.models import User
from sessions_app.consumers import writer
from sessions_app.models import Event, Session
from sessions_app.services import events, ingest, instances, prompts
from sessions_app.services.events import Outcome
from sidecar.protocol import messages

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 30


@dataclass(eq=False)
class Link:
    """Hears what became of its events."""

    instance_id: uuid.UUID
    session_id: uuid.UUID
    generation: int = 1
    heard: asyncio.Queue[int | Outcome | None] = field(default_factory=asyncio.Queue)

    def stored(self, seq: int) -> None:
        self.heard.put_nowait(seq)

    def refused(self, outcome: Outcome | None) -> None:
        self.heard.put_nowait(outcome)


def link_of(owner: User) -> Link:
    session = Session.objects.create(owner=owner, model="demo")
    instance = instances.wake(session_id=session.pk)
    assert instance is not None
    ingest.salvage(successor=instance, gen=0, salvaged=[], done=True)
    return Link(instance.pk, session.pk)


def event(kind: str, **data: object) -> messages.Event:
    return messages.Event(seq=1, gen=1, turn=None, ts=events.timestamp(), kind=kind, data=data)


@pytest.fixture
async def running() -> AsyncIterator[None]:
    writer.reset()
    task = asyncio.create_task(writer.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def queue_for_a_provider_that_is_gone(link: Link, author: User) -> None:
    """What wakes this session next does not find its provider in the catalogue any more."""
    session = Session.objects.get(pk=link.session_id)
    prompts.submit(session=session, author=author, prompt_id=uuid.uuid4(), text="go")
    Session.objects.filter(pk=session.pk).update(provider="gone")


async def test_a_session_whose_events_cannot_be_carried_out_is_refused_alone(
    alice: User, running: None
) -> None:
    bad, good = [await sync_to_async(link_of)(alice) for _ in range(2)]
    await sync_to_async(queue_for_a_provider_that_is_gone)(bad, alice)
    writer.add(bad, [event("instance.stopped", reason="idle")])
    writer.add(good, [event("plan", entries=[])])
    async with asyncio.timeout(SECONDS):
        assert [await bad.heard.get(), await good.heard.get()] == [None, 1]
    rows = await sync_to_async(lambda: list(Event.objects.values_list("session", flat=True)))()
    assert rows == [good.session_id]


def ends(count: int) -> list[messages.Event]:
    """A turn that nobody has ends again and again: what costs most, for little on the link."""
    end = event("turn.ended", stop_reason="end_turn")
    turn = str(uuid.uuid4())
    return [msgspec.structs.replace(end, seq=seq, turn=turn) for seq in range(1, count + 1)]


async def test_a_flood_of_effects_is_stored_in_slices_and_the_others_do_not_wait_for_it(
    alice: User, monkeypatch: pytest.MonkeyPatch, running: None
) -> None:
    flood, good = [await sync_to_async(link_of)(alice) for _ in range(2)]
    rounds: list[dict[uuid.UUID, int]] = []

    def store(batches: Sequence[ingest.Batch]) -> list[Outcome]:
        rounds.append({batch.session_id: len(batch.events) for batch in batches})
        return real(batches)

    real = ingest.store
    monkeypatch.setattr(ingest, "store", store)
    writer.add(flood, ends(2 * ingest.MOST_EFFECTS + 3))
    writer.add(good, [event("plan", entries=[])])
    async with asyncio.timeout(SECONDS):
        assert await good.heard.get() == 1
        heard = [await flood.heard.get() for _ in range(3)]
    most = ingest.MOST_EFFECTS
    assert heard == [most, 2 * most, 2 * most + 3]
    of_flood, of_good = flood.session_id, good.session_id
    assert rounds == [{of_flood: most, of_good: 1}, {of_flood: most}, {of_flood: 3}]
    stored = Event.objects.filter(session=of_flood).order_by("pk").values_list("seq", flat=True)
    assert await sync_to_async(lambda: list(stored))() == list(range(1, 2 * most + 4))


async def test_of_many_links_the_oldest_are_stored_first_and_all_in_the_end(
    alice: User, monkeypatch: pytest.MonkeyPatch, running: None
) -> None:
    links = [await sync_to_async(link_of)(alice) for _ in range(5)]
    rounds: list[list[uuid.UUID]] = []

    def store(batches: Sequence[ingest.Batch]) -> list[Outcome]:
        rounds.append([batch.session_id for batch in batches])
        return real(batches)

    real = ingest.store
    monkeypatch.setattr(ingest, "store", store)
    monkeypatch.setattr(writer, "MOST_SOURCES", 2)
    for link in links:
        writer.add(link, [event("plan", entries=[])])
    async with asyncio.timeout(SECONDS):
        assert [await link.heard.get() for link in links] == [1] * 5
    ids = [link.session_id for link in links]
    assert rounds == [ids[:2], ids[2:4], ids[4:]]


async def test_what_waits_behind_a_slice_that_is_refused_is_not_tried(alice: User, running: None) -> None:
    bad, good = [await sync_to_async(link_of)(alice) for _ in range(2)]
    bad.generation = 7
    writer.add(bad, ends(ingest.MOST_EFFECTS + 1))
    async with asyncio.timeout(SECONDS):
        assert await bad.heard.get() is Outcome.FENCED
        for seq in (1, 2):
            writer.add(good, [msgspec.structs.replace(event("plan", entries=[]), seq=seq)])
            assert await good.heard.get() == seq
    assert bad.heard.empty()


async def test_what_waits_of_an_earlier_link_is_left_to_the_new_one(alice: User) -> None:
    old = await sync_to_async(link_of)(alice)
    new = Link(old.instance_id, old.session_id)
    writer.reset()
    writer.add(old, ends(3))
    writer.replace(old.instance_id)
    writer.add(new, ends(3))
    task = asyncio.create_task(writer.run())
    async with asyncio.timeout(SECONDS):
        assert await new.heard.get() == 3
    assert old.heard.empty()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
