"""Events of all links are stored together; what is wrong with one session's hurts no other."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from asgiref.sync import sync_to_async

from openagent.accounts.models import User
from sessions_app.consumers import writer
from sessions_app.models import Event, Session
from sessions_app.services import events, ingest, instances, prompts
from sessions_app.services.events import Outcome
from sidecar.protocol import messages

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 10


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
