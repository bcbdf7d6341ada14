"""The replay test: folding the stored log of a session, here and in the page, gives what the API says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sessions_app.services import conversation
from tests.end_to_end import browser_fold
from tests.end_to_end.client import Client


def check_replay(client: Client, session: str) -> None:
    """The stored log folds to the conversation that the API answers: by its own fold and by the page's."""
    while True:
        answered = client.conversation(session)
        events = client.events(session)
        if client.session(session)["last_seq"] == answered["last_seq"]:
            break
    assert conversation.fold(events) == answered, "The API folds its log otherwise"
    assert browser_fold.fold(events) == answered, "The page folds the log otherwise than the API"


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
