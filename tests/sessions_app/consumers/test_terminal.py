"""A terminal's socket between a browser and a sidecar that speaks the link by hand."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from openagent.accounts import tokens
from openagent.accounts.models import User
from sessions_app.models import Session, Terminal
from sessions_app.services import activity, instances, sessions, terminals, transcripts
from sidecar.protocol import frames
from sidecar.protocol import terminals as wire
from tests.sessions_app.conftest import make_terminal
from tests.sessions_app.consumers.conftest import CLIENT, SECONDS, Sidecar, Socket, View, eventually

pytestmark = pytest.mark.django_db(transaction=True)


class TerminalSidecar(Sidecar):
    """Says and hears what terminals need."""

    async def frame(self, kind: type[Any]) -> Any:
        """The next frame of this type, or binary message."""
        while True:
            output = await self._communicator.receive_output(timeout=SECONDS)
            assert output["type"] == "websocket.send", output
            if output.get("bytes") is not None:
                if kind is bytes:
                    return output["bytes"]
                continue
            frame = frames.decode_down(output["text"])
            if isinstance(frame, kind):
                return frame

    async def tells(self, viewer: int, tell: Any) -> None:
        await self.send_frame(wire.TerminalTell(viewer=viewer, tell=tell))

    async def shows(self, viewer: int, offset: int, data: bytes) -> None:
        await self._communicator.send_to(bytes_data=wire.pack_output(viewer, wire.LIVE, offset, data))


@pytest.fixture
async def linked(sockets: list[Socket], session: Session) -> TerminalSidecar:
    instance = await sync_to_async(instances.wake)(session_id=session.pk)
    assert instance is not None
    made = TerminalSidecar(instance)
    sockets.append(made)
    await made.begin(versions=[1, 2])
    return made


async def opened(linked: TerminalSidecar, session: Session) -> Terminal:
    """A terminal that was asked for over REST's service, and that the sidecar says is open."""
    owner = await sync_to_async(User.objects.get)(pk=session.owner_id)
    terminal, _ = await sync_to_async(terminals.open_one)(session=session, user=owner, rows=24, cols=80)
    order = await linked.command("terminal.open")
    assert order["terminal"] == str(terminal.pk)
    await linked.say("terminal.opened", terminal_id=str(terminal.pk))
    return terminal


def welcome(offset: int = 0, **fields: Any) -> wire.Welcome:
    values = {"reset": False, "live_from": 0, "input": 0, "rows": 24, "cols": 80, **fields}
    return wire.Welcome(offset=offset, **values)


async def test_output_input_and_acknowledgements_pass_through(
    linked: TerminalSidecar, session: Session, view: Callable[..., View]
) -> None:
    terminal = await opened(linked, session)
    alice = view(terminal, f"client={CLIENT}&offset=5&rows=30&cols=90")
    assert await alice.connect()
    watch = await linked.frame(wire.TerminalWatch)
    assert (watch.terminal, watch.client, watch.offset) == (str(terminal.pk), CLIENT, 5)
    assert (watch.rows, watch.cols) == (30, 90)
    await linked.tells(watch.viewer, welcome(5))
    await linked.shows(watch.viewer, 5, b"\xff\x00hello")
    hello = await alice.hears()
    assert isinstance(hello, dict) and (hello["type"], hello["offset"]) == ("hello", 5)
    assert await alice.hears() == (wire.LIVE, 5, b"\xff\x00hello")
    await alice.types(0, b"ls\n")
    assert (await linked.frame(bytes))[5:] == wire.pack(0, 0, b"ls\n")
    await alice.send({"type": "ack", "offset": 12})
    assert (await linked.frame(wire.TerminalAck)).offset == 12
    await alice.send({"type": "resize", "rows": 40, "cols": 100})
    assert (await linked.frame(wire.TerminalSize)).cols == 100


async def test_a_link_that_comes_again_goes_on_where_the_browser_is(
    linked: TerminalSidecar, session: Session, view: Callable[..., View], sockets: list[Socket]
) -> None:
    terminal = await opened(linked, session)
    alice = view(terminal)
    assert await alice.connect()
    watch = await linked.frame(wire.TerminalWatch)
    await linked.tells(watch.viewer, welcome())
    await linked.shows(watch.viewer, 0, b"0123456789")
    for _ in range(2):
        await alice.hears()
    again = TerminalSidecar(linked.instance)
    sockets.append(again)
    assert (await again.hello(versions=[1, 2]))["type"] == "welcome"
    watch = await again.frame(wire.TerminalWatch)
    assert watch.offset == 10
    await again.tells(watch.viewer, welcome(10, input=3))
    while (heard := await alice.hears()) == {"type": "waiting", "reason": "link"}:
        continue
    assert isinstance(heard, dict) and (heard["type"], heard["input"]) == ("hello", 3)


async def test_it_waits_for_a_session_that_starts_and_tells_of_a_terminal_that_fails(
    linked: TerminalSidecar, session: Session, view: Callable[..., View]
) -> None:
    owner = await sync_to_async(User.objects.get)(pk=session.owner_id)
    terminal, _ = await sync_to_async(terminals.open_one)(session=session, user=owner, rows=24, cols=80)
    alice = view(terminal)
    assert await alice.connect()
    assert await alice.hears() == {"type": "waiting", "reason": "starting"}
    await linked.say(
        "terminal.closed", terminal_id=str(terminal.pk), reason="failed", message="There is no such program."
    )
    hello, ended = await alice.hears(), await alice.hears()
    assert isinstance(hello, dict) and hello["closed"]
    assert isinstance(ended, dict) and ended["message"] == "There is no such program."
    assert await alice.closed() == 1000


async def test_a_removed_terminal_or_a_deleted_session_is_gone(
    session: Session, view: Callable[..., View]
) -> None:
    terminal = await sync_to_async(make_terminal)(session)
    await sync_to_async(terminals.remove)(terminal=terminal)
    alice = view(terminal)
    assert await alice.connect()
    assert await alice.closed() == 4404
    left = await sync_to_async(make_terminal)(session)
    await sync_to_async(sessions.delete)(session=session)
    alice = view(left)
    assert await alice.connect()
    assert await alice.closed() == 4404


@pytest.mark.parametrize("query", ["", "client=x", f"client={CLIENT}&offset=-1", f"client={CLIENT}&offset=a"])
async def test_an_address_that_makes_no_sense(
    session: Session, view: Callable[..., View], query: str
) -> None:
    alice = view(await sync_to_async(make_terminal)(session), query)
    assert await alice.connect()
    assert await alice.closed() == 4400


@pytest.mark.parametrize(
    "text", ["{", '{"type":"resize","rows":0,"cols":80}', '{"type":"resize","rows":24,"cols":99999999}', "[]"]
)
async def test_a_message_that_makes_no_sense_ends_the_socket(
    session: Session, view: Callable[..., View], text: str
) -> None:
    alice = view(await sync_to_async(make_terminal)(session))
    assert await alice.connect()
    await alice.send_raw(text)
    assert await alice.closed() == 4400


async def test_input_beyond_the_credit_ends_the_socket(
    linked: TerminalSidecar, session: Session, view: Callable[..., View]
) -> None:
    terminal = await opened(linked, session)
    alice = view(terminal)
    assert await alice.connect()
    await linked.tells((await linked.frame(wire.TerminalWatch)).viewer, welcome())
    await alice.hears()
    for offset in range(0, 2 * wire.WINDOW_BYTES, wire.CHUNK_BYTES):
        await alice.types(offset, b"x" * wire.CHUNK_BYTES)
    assert await alice.closed() == 4429


async def test_no_keystroke_waits_for_the_database(
    linked: TerminalSidecar, session: Session, view: Callable[..., View], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_there, touched = threading.Event(), []

    def touch(*, session_id: uuid.UUID) -> None:
        assert is_there.wait(SECONDS)
        touched.append(session_id)

    alice = view(await opened(linked, session))
    monkeypatch.setattr(activity, "touch", touch)
    assert await alice.connect()
    await linked.tells((await linked.frame(wire.TerminalWatch)).viewer, welcome())
    await alice.hears()
    await alice.types(0, b"ls\n")
    assert (await linked.frame(bytes))[5:] == wire.pack(0, 0, b"ls\n")
    is_there.set()
    await eventually(lambda: touched == [session.pk])


async def test_a_token_that_may_only_read_watches_and_does_not_type(
    linked: TerminalSidecar, session: Session, view: Callable[..., View]
) -> None:
    terminal = await opened(linked, session)
    _, token = await sync_to_async(tokens.issue)(
        user_id=session.owner_id, name="x", scopes=["read"], expires_at=None
    )
    alice = view(terminal, authorization=f"Bearer {token.reveal()}")
    assert await alice.connect()
    await linked.tells((await linked.frame(wire.TerminalWatch)).viewer, welcome())
    await alice.hears()
    await alice.types(0, b"x")
    assert await alice.closed() == 4403


async def test_the_same_client_on_a_second_socket_takes_over(
    linked: TerminalSidecar, session: Session, view: Callable[..., View]
) -> None:
    terminal = await opened(linked, session)
    first, second = view(terminal), view(terminal)
    assert await first.connect()
    await linked.frame(wire.TerminalWatch)
    assert await second.connect()
    assert await first.closed() == 4409


async def test_saved_pieces_are_stored_once_and_acknowledged(
    linked: TerminalSidecar, session: Session
) -> None:
    terminal = await opened(linked, session)
    await linked.say("terminal.closed", terminal_id=str(terminal.pk), reason="exited", exit_code=0)
    for offset, data in ((0, b"one "), (0, b"one "), (4, b"two"), (4, b"two")):
        await linked.send_frame(
            wire.TerminalSaved(terminal=str(terminal.pk), start=0, end=7, offset=offset, data=data)
        )
        assert (await linked.frame(wire.TerminalSavedAck)).offset == offset + len(data)
    await eventually(lambda: Terminal.objects.get(pk=terminal.pk).kept_to == 7)
    assert (await sync_to_async(transcripts.stored)(terminal)).data == b"one two"


async def test_a_terminal_that_works_keeps_its_session_awake(
    linked: TerminalSidecar, session: Session
) -> None:
    await sync_to_async(Session.objects.filter(pk=session.pk).update)(
        idle_passes=14, sleeps_at=timezone.now()
    )
    await linked.send_frame(wire.TerminalWork())
    await eventually(lambda: Session.objects.get(pk=session.pk).idle_passes == 0)
    assert (await sync_to_async(Session.objects.get)(pk=session.pk)).sleeps_at is None


async def test_an_old_sidecar_is_told_nothing_of_terminals(
    sidecar: Sidecar, session: Session, view: Callable[..., View]
) -> None:
    owner = await sync_to_async(User.objects.get)(pk=session.owner_id)
    with pytest.raises(terminals.Unsupported):
        await sync_to_async(terminals.open_one)(session=session, user=owner, rows=24, cols=80)
