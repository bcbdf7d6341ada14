"""Every agent beside OpenCode in its box: files, a command, a permission, a stop, and a wake-up; by REST."""

from __future__ import annotations

from typing import Any

import pytest

from tests import needs
from tests.end_to_end.client import SECONDS, Client, eventually, texts
from tests.end_to_end.terminal import TerminalClient

AGENTS = ("copilot", "claude", "codex", "gemini")
IN_EVERY_RUN = ("codex",)
"""Of what agents on ACP do, tests with agents of our own show the rest."""
WITHOUT_QUESTIONS = ("codex",)
"""They do not ask before they act; the catalogue says so."""
INTERFACES = {
    "copilot": b"folder trust",
    "claude": b"auto mode on",
    "codex": b"Trust",
    "gemini": b"Gemini",
}
"""What each shows first in its own interface."""
WORK = [(200, 40), (260, 30), (310, 16)]
"""Input and output tokens of the script's calls."""


def finished(client: Client, session: str, turn: str) -> Any:
    """The turn at its end; all that is asked meanwhile is allowed."""

    def look() -> Any:
        for asked in client.get(f"/permissions/?state=pending&session={session}")["results"]:
            client.answer(asked["id"], choice="once")
        found = client.turn(session, turn)
        return found if found and found["status"] == "ended" else None

    return eventually(look, SECONDS, lambda: f"turn not ended: {client.session(session)}")


def of_kind(client: Client, session: str, kind: str, turn: str | None = None) -> list[dict[str, Any]]:
    """The data of the session's events of a kind."""
    events = client.events(session)
    return [each["data"] for each in events if each["kind"] == kind and turn in (None, each["turn"])]


@pytest.mark.parametrize(
    "agent",
    [pytest.param(agent, marks=() if agent in IN_EVERY_RUN else pytest.mark.variant) for agent in AGENTS],
)
def test_an_agent_works_stops_and_wakes_up(client: Client, agent: str) -> None:
    needs.agent(agent)
    session = client.new_session(agent=agent)

    # Not a command of the agent's own: one of them keeps no conversation that begins with a slash.
    said = client.prompt(session, "Hello, who are you?")
    assert "scripted demo model" in texts(finished(client, session, said))

    turn = client.prompt(session, "/demo work")
    ended = finished(client, session, turn)
    assert ended["stop_reason"] == "end_turn", ended
    assert texts(ended).endswith("All done: one file written and one command run.")
    content = client.raw("GET", f"/sessions/{session}/files/content/", params={"path": "hello.txt"})
    assert b"hello from the demo model" in content.content
    commands = [item for item in ended["items"] if item["type"] == "tool" and item["tool_kind"] == "execute"]
    assert commands and commands[-1]["status"] == "completed"
    asked = of_kind(client, session, "permission.asked", turn)
    assert bool(asked) == (agent not in WITHOUT_QUESTIONS)
    counted = [(each["input"], each["output"]) for each in of_kind(client, session, "usage", turn)]
    assert [each for each in counted if each in WORK] == WORK

    opened = client.post(f"/sessions/{session}/terminals/", {"rows": 24, "cols": 80, "agent": True})
    with TerminalClient(client, session, opened["id"]) as shown:
        shown.shows(INTERFACES[agent])
    client.call("DELETE", f"/sessions/{session}/terminals/{opened['id']}/")

    turn = client.prompt(session, "/demo long 5000 20ms")
    eventually(lambda: of_kind(client, session, "message.delta", turn), 30, lambda: "nothing is said")
    client.post(f"/sessions/{session}/interrupt/", {"turn": turn})
    assert client.ended(session, turn)["stop_reason"] == "cancelled"

    client.post(f"/sessions/{session}/stop/")
    client.status(session, "asleep", "paused", "stopped")
    turn = client.prompt(session, "/demo plain")
    assert "Hello from the scripted demo model" in texts(client.ended(session, turn))
    started = of_kind(client, session, "instance.started")
    assert [each.get("resumed", False) for each in started] == [False, True]
    assert started[-1]["agent"]["version"]
