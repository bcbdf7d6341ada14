"""The link of an instance that belongs to nobody yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from pytest_django import Settings

from sessions_app.models import Instance, PoolMember, PoolState, Session
from sessions_app.services import instances
from sidecar.protocol import frames
from tests.sessions_app.consumers.conftest import Sidecar, Socket, eventually

pytestmark = pytest.mark.django_db(transaction=True)
OFFER = {
    "provider": {"id": "demo", "name": "Demo", "wire": "openai-chat", "base_url": ""},
    "models": ["demo"],
}


@pytest.fixture
async def member(session: Session, sockets: list[Socket], settings: Settings, tmp_path: Path) -> Sidecar:
    """Connected, and told what to prepare."""
    row = await PoolMember.objects.acreate(
        agent="opencode",
        driver=settings.OPENAGENT_DRIVER,
        made_for={"offers": [OFFER]},
        driver_ref={"instance_id": "x"},
    )
    # Its id is all that the sidecar needs of its instance.
    made = Sidecar(Instance(pk=row.pk, session=session, generation=1))
    sockets.append(made)
    assert (await made.hello(versions=[1, 2, 3]))["type"] == "welcome"
    prepare = await made.receive()
    assert (prepare["type"], prepare["agent"], prepare["offers"][0]["models"]) == (
        *("agent.prepare", "opencode"),
        ["demo"],
    )
    return made


async def is_ready(member: Sidecar) -> None:
    for stage in ("sidecar", "box", "agent"):
        await member.send_frame(frames.Stage(stage=stage, elapsed_ms=1))
    await eventually(lambda: PoolMember.objects.get().state == PoolState.READY)


async def test_the_one_message_that_claims_it_comes_over_the_link_that_waits(
    member: Sidecar, session: Session
) -> None:
    await is_ready(member)
    instance = await sync_to_async(instances.wake)(session_id=session.pk)
    assert instance is not None and instance.pk == member.instance.pk
    claim = await member.command("session.claim")
    assert claim["session"] == str(session.pk)
    await member.send_frame(frames.Salvage(gen=1, events=[], done=True))
    ack, _ = await member.until("salvage.ack")
    member.seq = ack["next_seq"] - 1
    await member.say("instance.started", agent={"id": "fake", "name": "Fake", "version": "1"})
    await eventually(lambda: Instance.objects.get().state == "ready")


async def test_a_claim_that_nobody_told_it_of_is_found(
    member: Sidecar, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    await is_ready(member)
    monkeypatch.setattr("sessions_app.relay.wake_link", lambda instance_id: None)
    await sync_to_async(instances.wake)(session_id=session.pk)
    assert (await member.command("session.claim"))["session"] == str(session.pk)


async def test_one_that_comes_again_is_told_again_and_replaces_itself(
    member: Sidecar, session: Session, sockets: list[Socket]
) -> None:
    again = Sidecar(member.instance)
    sockets.append(again)
    assert (await again.hello(versions=[1, 2, 3]))["type"] == "welcome"
    assert (await again.receive())["type"] == "agent.prepare"
    assert await member.closed() == 4409
    await is_ready(again)
    await sync_to_async(instances.wake)(session_id=session.pk)
    assert (await again.command("session.claim"))["session"] == str(session.pk)


async def test_events_of_nobody_are_refused(member: Sidecar) -> None:
    await member.send_frame(frames.Events(events=[member.event("plan", entries=[])]))
    assert await member.closed() == 4400
    assert await sync_to_async(Instance.objects.count)() == 0


async def test_one_that_is_not_wanted_any_more_is_told_so(member: Sidecar) -> None:
    await PoolMember.objects.all().aupdate(state=PoolState.LEAVING)
    await member.send_frame(frames.Stage(stage="box", elapsed_ms=1))
    refused, _ = await member.until("refused")
    assert refused["final"] is True
