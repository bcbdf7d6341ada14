"""A closed terminal in a browser: what was kept of it is shown, and where it really ended is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async

from sessions_app.models import Session, TerminalState
from sessions_app.services import transcripts
from sidecar.protocol import terminals as wire
from tests.sessions_app.conftest import make_terminal
from tests.sessions_app.consumers.conftest import CLIENT, View

pytestmark = pytest.mark.django_db(transaction=True)

SIZES: list[tuple[int, int, int]] = [(0, 24, 80), (8, 30, 90)]


async def test_a_closed_terminal_shows_what_is_kept(session: Session, view: Callable[..., View]) -> None:
    terminal = await sync_to_async(make_terminal)(session, state=TerminalState.CLOSED, reason="stopped")
    saved = wire.TerminalSaved(
        terminal=str(terminal.pk), start=2, end=14, offset=2, data=b"kept of old ", sizes=SIZES
    )
    await sync_to_async(transcripts.store)(session_id=session.pk, saved=saved)
    alice = view(terminal, f"client={CLIENT}&offset=4")
    assert await alice.connect()
    hello = await alice.hears()
    assert isinstance(hello, dict)
    assert (hello["offset"], hello["reset"], hello["closed"], hello["rows"]) == (4, False, True, 24)
    assert await alice.hears() == (0, 4, b"pt o")
    assert await alice.hears() == {"type": "size", "offset": 8, "rows": 30, "cols": 90}
    assert await alice.hears() == (0, 8, b"f old ")
    ended = await alice.hears()
    assert isinstance(ended, dict) and (ended["type"], ended["reason"], ended["offset"]) == (
        "exit",
        "stopped",
        14,
    )
    assert await alice.closed() == 1000


async def test_of_one_whose_end_was_not_kept_the_viewer_hears_where_it_ended(
    session: Session, view: Callable[..., View]
) -> None:
    terminal = await sync_to_async(make_terminal)(session, state=TerminalState.CLOSED, reason="stopped")
    saved = wire.TerminalSaved(terminal=str(terminal.pk), start=0, end=900, offset=0, data=b"begin")
    await sync_to_async(transcripts.store)(session_id=session.pk, saved=saved)
    alice = view(terminal)
    assert await alice.connect()
    hello = await alice.hears()
    assert isinstance(hello, dict) and hello["live_from"] == 5
    assert await alice.hears() == (0, 0, b"begin")
    ended = await alice.hears()
    assert isinstance(ended, dict) and (ended["type"], ended["offset"]) == ("exit", 900)
    assert await alice.closed() == 1000


async def test_a_viewer_who_has_seen_more_than_was_kept_keeps_it(
    session: Session, view: Callable[..., View]
) -> None:
    terminal = await sync_to_async(make_terminal)(session, state=TerminalState.CLOSED, reason="lost")
    alice = view(terminal, f"client={CLIENT}&offset=500")
    assert await alice.connect()
    hello, ended = await alice.hears(), await alice.hears()
    assert isinstance(hello, dict) and isinstance(ended, dict)
    assert (hello["offset"], hello["reset"], hello["closed"]) == (500, False, True)
    assert (ended["type"], ended["offset"]) == ("exit", 500)
    assert await alice.closed() == 1000
