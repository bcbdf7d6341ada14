"""The frames of a session's socket, held to the golden file that the page's code reads as well."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from openagent.accounts.models import User
from sessions_app.consumers import session as consumer
from sessions_app.models import Session, Terminal
from sessions_app.services import prompts, state
from tests.sessions_app.consumers.conftest import Browser, Sidecar

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "protocol" / "session_frames.json").read_text(encoding="utf-8")
)


def shape(value: Any) -> Any:
    """The names in a message, at every depth; lists are told by what they begin with."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items() if name != "data"}
    return [shape(value[0])] if isinstance(value, list) and value else None


@pytest.mark.django_db(transaction=True)
async def test_what_a_browser_is_sent_has_the_shape_of_the_golden_frames(
    browser: Callable[..., Browser], sidecar: Sidecar, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's code reads the same file: frontend/src/protocol/golden.test.ts."""
    monkeypatch.setattr(consumer, "HEARTBEAT_SECONDS", 0.2)
    owner = await sync_to_async(User.objects.get)(pk=session.owner_id)
    prompt, _ = await sync_to_async(prompts.submit)(
        session=session, author=owner, prompt_id=uuid.uuid4(), text="go"
    )
    turn = prompt.pk
    await sidecar.say("turn.started", turn, prompt="go")
    await sidecar.say("permission.asked", turn, permission_id=str(uuid.uuid4()), type="tool", title="ls")
    await sync_to_async(Terminal.objects.create)(session=session, instance=sidecar.instance, rows=24, cols=80)
    alice = browser()
    assert await alice.connect()
    live, before = await alice.until("live")
    heard = {frame["type"]: frame for frame in [*before, live]}
    await alice.send(GOLDEN["up"]["ack"])
    await sync_to_async(state.bump)(session.pk)
    while not heard.keys() >= GOLDEN["down"].keys():
        frame = await alice.receive()
        heard[frame["type"]] = frame
    assert shape(heard) == shape(GOLDEN["down"])
