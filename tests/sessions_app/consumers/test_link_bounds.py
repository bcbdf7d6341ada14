"""What a sidecar that keeps to nothing can make the platform hold."""

from __future__ import annotations

import asyncio

import pytest

from sessions_app import relay
from sessions_app.consumers import link, writer
from sessions_app.models import Session
from sidecar.protocol import frames
from tests.sessions_app.consumers.conftest import Sidecar, Socket, eventually
from tests.sessions_app.consumers.test_session import stored, submit

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_sidecar_that_sends_more_than_its_credit_is_let_go(
    session: Session, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "add", lambda source, events: None)  # a database that stores nothing
    monkeypatch.setattr(link, "MAX_UNSTORED_BYTES", 2000)
    turn = await submit(session)
    for number in range(30):
        event = sidecar.event("message.delta", turn, part_id="p", offset=100 * number, text="x" * 100)
        await sidecar.send_frame(frames.Events(events=[event]))
    assert await sidecar.closed() == 4429


async def test_what_is_stored_makes_room_for_more(
    session: Session, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "MAX_UNSTORED_BYTES", 2000)
    turn = await submit(session)
    for number in range(30):
        await sidecar.say("message.delta", turn, part_id="p", offset=100 * number, text="x" * 100)
    assert await stored(session) == list(range(1, 32))


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
