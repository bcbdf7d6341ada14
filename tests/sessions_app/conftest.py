"""Makes the rows that tests of sessions are about."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from keys_app import services as keys
from keys_app.models import ProviderKey
from openagent.accounts.models import User
from openagent.lib.redact import Secret
from sessions_app import drivers
from sessions_app.models import (
    Event,
    Instance,
    InstanceState,
    Permission,
    Prompt,
    PromptState,
    Session,
    Terminal,
)
from tests.fakes.driver import FakeDriver

_permissions = itertools.count(1)
_CLOCK = "2026-11-22T10:00:00.000Z"


def make_session(owner: User, **fields: Any) -> Session:
    return Session.objects.create(owner=owner, **{"provider": "demo", "model": "demo", **fields})


def make_key(owner: User, provider: str = "openai") -> ProviderKey:
    prefix = {"anthropic": "sk-ant-", "claude-plan": "sk-ant-oat01-"}.get(provider, "sk-")
    return keys.create(owner_id=owner.pk, provider=provider, value=Secret(prefix + "a1B2c3D4" * 6))


def make_instance(session: Session, state: InstanceState = InstanceState.READY, **fields: Any) -> Instance:
    generation = fields.pop("generation", session.instances.count() + 1)
    return Instance.objects.create(
        session=session, state=state, **{"generation": generation, "driver": "fake", **fields}
    )


def make_prompt(session: Session, state: PromptState = PromptState.QUEUED, **fields: Any) -> Prompt:
    number = session.prompts.count() + 1
    session.prompt_count = number
    session.save(update_fields=["prompt_count"])
    values = {"author": session.owner, "number": number, "text": f"Prompt {number}", **fields}
    return Prompt.objects.create(session=session, state=state, **values)


def make_permission(session: Session, **fields: Any) -> Permission:
    permission_id = fields.pop("id", None) or uuid.uuid4()
    asked = {"permission_id": str(permission_id), "type": "tool", "title": "Run make", "command": "make"}
    return Permission.objects.create(
        id=permission_id,
        session=session,
        **{"type": asked["type"], "title": asked["title"], "asked": asked, "number": next(_permissions)}
        | fields,
    )


def make_terminal(session: Session, **fields: Any) -> Terminal:
    return Terminal.objects.create(
        session=session, opened_by=session.owner, **{"rows": 24, "cols": 80, "title": "Shell", **fields}
    )


def make_events(session: Session, events: Iterable[dict[str, Any]]) -> list[Event]:
    """Stores events; `seq` counts on from what the session has, `gen` is 1 and `turn` None unless given."""
    numbers = itertools.count(session.last_seq + 1)
    rows = []
    for event in events:
        seq = event.get("seq") or next(numbers)
        values = {"gen": 1, "turn": None, "ts": _CLOCK, "seq": seq, "seq_end": event.get("seq_end", seq)}
        rows.append(Event(session=session, **{**values, **{k: v for k, v in event.items() if k != "v"}}))
    Event.objects.bulk_create(rows)
    session.last_seq = max([session.last_seq, *(row.seq_end for row in rows)])
    session.save(update_fields=["last_seq"])
    return rows


@pytest.fixture
def session(alice: User) -> Session:
    """Alice's session, in which nothing has happened yet."""
    return make_session(alice, title="Alice's session")


@pytest.fixture
def driver(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDriver]:
    """The installation's driver, which keeps its instances in memory."""
    monkeypatch.setitem(drivers.DRIVERS, "fake", "tests.fakes.driver.FakeDriver")
    settings.OPENAGENT_DRIVER = "fake"
    made = drivers.get_driver()
    assert isinstance(made, FakeDriver)
    yield made
    drivers.forget()
