"""The replay test: folding the stored log of a session gives what the API says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sessions_app.services import conversation
from tests.end_to_end.client import Client


def check_replay(client: Client, session: str) -> None:
    """The fold of the stored log is the conversation that the API answers."""
    while True:
        answered = client.conversation(session)
        folded = conversation.fold(client.events(session))
        if client.session(session)["last_seq"] == answered["last_seq"]:
            break
    assert folded == answered


@contextmanager
def replayed(client: Client) -> Iterator[None]:
    """Does the replay test on every session that this client makes meanwhile, and stops them."""
    made: list[str] = []
    new_session = client.new_session

    def remember(**fields: Any) -> str:
        made.append(new_session(**fields))
        return made[-1]

    client.new_session = remember  # type: ignore[method-assign]
    try:
        yield
        for session in made:
            check_replay(client, session)
    finally:
        client.new_session = new_session  # type: ignore[method-assign]
        for session in made:
            client.raw("POST", f"/sessions/{session}/stop/")
