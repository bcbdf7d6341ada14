"""What has to be true of turns, however they went: in the log, in the conversation, on a reader's screen."""

from __future__ import annotations

from typing import Any

from sessions_app.services import conversation
from sidecar import demo_model
from tests.end_to_end.client import Client, texts
from tests.end_to_end.reader import Reader


def check_one_clean_turn(client: Client, reader: Reader, session: str, prompt: str, turn: str) -> None:
    """Shown equals stored equals what the model sent; no gap; the prompt ran once."""
    reader.wait_for_event("turn.ended", turn)
    check_answered(client, session, prompt, turn)
    check_shown(client, reader, session)
    assert not reader.log.complaints, reader.describe()


def check_answered(client: Client, session: str, prompt: str, turn: str) -> None:
    """The turn came to its end, once, and said what the model sent."""
    ended = client.ended(session, turn)
    assert ended["stop_reason"] == "end_turn", ended
    assert texts(ended) == demo_model.expected_text(prompt)
    kinds = kinds_of(client, session, turn)
    assert kinds.count("turn.started") == kinds.count("turn.ended") == 1
    assert client.prompt_row(session, turn)["state"] == "done"


def check_shown(client: Client, reader: Reader, session: str) -> None:
    """The reader shows what the API answers, as soon as it has caught up and all that it saw is stored."""
    reader.wait(lambda reader: reader.shown() == client.conversation(session), 30)


def kinds_of(client: Client, session: str, turn: str) -> list[str]:
    """What the log tells of a turn."""
    return [event["kind"] for event in client.events(session) if event["turn"] == turn]


def said(events: list[dict[str, Any]], turn: str) -> str:
    """What these events let the agent say in the turn; nothing while it has not begun."""
    folded = conversation.fold([event for event in events if event["turn"] == turn])
    return "".join(texts(each) for each in folded["turns"])
