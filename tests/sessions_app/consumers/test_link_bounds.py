"""What a sidecar that keeps to nothing can make the platform hold."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from sessions_app import relay
from sessions_app.consumers import link, writer
from sessions_app.models import Event, Instance, Session
from sessions_app.services import ingest, lifecycle
from sidecar.protocol import frames, messages
from tests.sessions_app.consumers.conftest import Sidecar, Socket, eventually
from tests.sessions_app.consumers.test_session import stored, submit

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_sidecar_that_sends_more_than_its_credit_is_let_go(
    session: Session, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "add", lambda source, events: None)  # a database that stores nothing
    monkeypatch.setattr(link, "MAX_UNSTORED_CHARACTERS", 2000)
    turn = await submit(session)
    for number in range(30):
        event = sidecar.event("message.delta", turn, part_id="p", offset=100 * number, text="x" * 100)
        await sidecar.send_frame(frames.Events(events=[event]))
    assert await sidecar.closed() == 4429


async def test_what_is_stored_makes_room_for_more(
    session: Session, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "MAX_UNSTORED_CHARACTERS", 2000)
    turn = await submit(session)
    for number in range(30):
        await sidecar.say("message.delta", turn, part_id="p", offset=100 * number, text="x" * 100)
    assert await stored(session) == list(range(1, 32))


async def test_effects_that_are_salvaged_are_stored_in_slices(
    sockets: list[Socket], session: Session, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = await submit(session)
    journaled = [
        sidecar.event("turn.ended", turn, stop_reason="end_turn") for _ in range(ingest.MOST_EFFECTS + 3)
    ]
    await sync_to_async(lifecycle.lose)(instance_id=sidecar.instance.pk, reason="ended", message="")
    successor = await sync_to_async(Instance.objects.live().get)(session=session)  # for the prompt that waits
    again = Sidecar(successor)
    sockets.append(again)
    await again.hello()
    slices: list[tuple[int, bool]] = []

    def salvage(*, salvaged: list[messages.Event], done: bool, **more: Any) -> tuple[int, int]:
        slices.append((len(salvaged), done))
        return real(salvaged=salvaged, done=done, **more)

    real = ingest.salvage
    monkeypatch.setattr(ingest, "salvage", salvage)
    await again.send_frame(frames.Salvage(gen=1, events=journaled, done=True))
    ack, _ = await again.until("salvage.ack")
    assert slices == [(ingest.MOST_EFFECTS, False), (3, True)]
    assert ack["seq"] == journaled[-1].seq
    kinds = await sync_to_async(lambda: list(Event.objects.values_list("kind", flat=True).order_by("seq")))()
    assert kinds == ["instance.started", "instance.lost", *["turn.ended"] * len(journaled)]
    assert ack["next_seq"] == len(kinds) + 1


def has_arrived(seq: int) -> bool:
    return any(isinstance(there, link.LinkConsumer) and there._seq == seq for there in relay.links())


async def test_links_that_come_and_go_leave_nothing_behind_that_waits(
    sockets: list[Socket], session: Session, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()

    async def store(waiting: object) -> None:  # a database that takes its time
        await held.wait()

    monkeypatch.setattr(writer, "_store", store)
    turn = await submit(session)
    last = sidecar
    for _ in range(3):
        for _ in range(ingest.MOST_EFFECTS + 3):
            ended = last.event("turn.ended", turn, stop_reason="end_turn")
            await last.send_frame(frames.Events(events=[ended]))
        await eventually(partial(has_arrived, last.seq))
        assert writer._pending
        last = Sidecar(sidecar.instance)
        sockets.append(last)
        await last.hello(gen=1, last_seq=1, last_command=1)
        last.seq = 1
        await eventually(lambda: not writer._pending)
    held.set()


class Unread(link.LinkConsumer):
    """A link whose other end takes nothing: writing never ends."""

    async def send_text(self, text: str) -> None:
        if '"welcome"' in text:
            await super().send_text(text)
        else:
            await asyncio.Event().wait()


async def test_acknowledgements_that_wait_are_one_and_what_is_not_taken_ends_the_link(
    sockets: list[Socket], session: Session, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "MAX_OUTGOING", 5)
    consumers: list[Unread] = []
    serve = Unread.serve

    async def kept(self: Unread) -> None:
        consumers.append(self)
        await serve(self)

    monkeypatch.setattr(Unread, "serve", kept)
    again = Sidecar(sidecar.instance, Unread.as_asgi())
    sockets.append(again)
    await again.hello(gen=1, last_seq=sidecar.seq, last_command=1)
    await eventually(lambda: relay.links() == consumers)
    for seq in range(1000):
        consumers[0].stored(seq)
    assert not consumers[0]._ended.done()
    for _ in range(6):
        consumers[0].forget_key("openai")
    assert await again.closed() == 4429
