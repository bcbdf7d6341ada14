"""A session of Alice's, and an instance of it that is linked and has begun to number events."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from openagent.accounts.models import User
from sessions_app.models import Instance, Session
from sessions_app.services import events, ingest, instances, lifecycle
from sidecar.protocol import messages


@pytest.fixture
def session(alice: User) -> Session:
    return Session.objects.create(owner=alice, model="demo")


@pytest.fixture
def instance(session: Session) -> Instance:
    """Requested, linked, and told its first number."""
    made = instances.wake(session_id=session.pk)
    assert made is not None
    ingest.salvage(successor=made, gen=0, salvaged=[], done=True)
    made.refresh_from_db()
    return made


def get_ready(instance: Instance) -> Instance:
    """Its agent listens, and it is read anew."""
    lifecycle.on_ready(instance=instance)
    instance.refresh_from_db()
    return instance


class Sidecar:
    """Numbers events as a sidecar does and has them stored."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.seq = instance.first_seq - 1

    def event(self, kind: str, turn: uuid.UUID | None = None, **data: Any) -> messages.Event:
        self.seq += 1
        return messages.Event(
            seq=self.seq,
            gen=self.instance.generation,
            turn=str(turn) if turn else None,
            ts=events.timestamp(),
            kind=kind,
            data=data,
        )

    def store(self, *sent: messages.Event) -> events.Outcome:
        return ingest.store([self.batch(sent)])[0]

    def batch(self, sent: Sequence[messages.Event]) -> ingest.Batch:
        return ingest.Batch(
            instance_id=self.instance.pk,
            session_id=self.instance.session_id,
            generation=self.instance.generation,
            events=sent,
        )

    def say(self, kind: str, turn: uuid.UUID | None = None, **data: Any) -> events.Outcome:
        return self.store(self.event(kind, turn, **data))

    def get_ready(self) -> None:
        self.say("instance.started", agent={"id": "fake", "name": "Fake", "version": "1"})
        self.instance.refresh_from_db()


@pytest.fixture
def sidecar(instance: Instance) -> Sidecar:
    return Sidecar(instance)


@pytest.fixture
def sidecar_of() -> Callable[[Instance], Sidecar]:
    return Sidecar
