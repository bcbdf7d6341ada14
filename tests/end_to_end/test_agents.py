"""Every agent in its box: files, a command, a permission, a stop, and what is left when it was reaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sidecar import demo_model
from tests import needs
from tests.end_to_end.chosen_agent import OPENCODE
from tests.end_to_end.client import SECONDS, Client, eventually, texts
from tests.end_to_end.replay import replayed
from tests.end_to_end.terminal import TerminalClient

AGENTS = (OPENCODE, "copilot", "claude", "codex", "gemini")
IN_EVERY_RUN = ("codex",)
"""Of what agents on ACP do, tests with agents of our own show the rest; of OpenCode those of the main job."""
INTERFACES = {
    OPENCODE: b"All done",
    "copilot": b"folder trust",
    "claude": b"auto mode on",
    "codex": b"shortcuts",
    "gemini": b"Gemini",
}
"""What each shows first in its own interface."""
WORK = [(200, 40), (260, 30), (310, 16)]
"""Input and output tokens of the script's calls."""
RUNS = "grep -lzxs '9876[5]' /proc/[0-9]*/cmdline | grep -q ."
"""Whether the process runs that is left in the background; not true of itself."""
TICKS = "grep -lzs 'tick [$]i of 600' /proc/[0-9]*/cmdline | grep -q ."
"""The same of the command that is stopped."""
LEAVE = f"setsid sleep 98765 </dev/null >/dev/null 2>&1 & until {RUNS}; do sleep 0.1; done; touch runs.txt"
STOPPED = f"while {TICKS}; do sleep 0.1; done; touch stopped.txt"


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


def said(client: Client, session: str, prompt: str) -> str:
    """What the agent says to it."""
    return texts(finished(client, session, client.prompt(session, prompt)))


def has(client: Client, session: str, name: str) -> bool:
    """Whether this file is in the workspace."""
    return name in {entry["name"] for entry in client.get(f"/sessions/{session}/files/")["entries"]}


@pytest.mark.parametrize(
    "agent",
    [pytest.param(agent, marks=() if agent in IN_EVERY_RUN else pytest.mark.variant) for agent in AGENTS],
)
def test_an_agent_works_stops_and_wakes_up_when_it_was_reaped(drowsy: Client, agent: str) -> None:
    if agent != OPENCODE:
        needs.agent(agent)
    with replayed(drowsy):
        lives(drowsy, agent)


def lives(client: Client, agent: str) -> None:
    """Its session is kept awake until there is something to lose, and then left to the reaper."""
    session = client.new_session(agent=agent)
    for what in ("start", "keep"):
        client.post(f"/sessions/{session}/{what}/")

    # Not a command of the agent's own: one of them keeps no conversation that begins with a slash.
    assert "scripted demo model" in said(client, session, "Hello, who are you?")
    # Of the way out it wants nothing by itself: it would not be ready before a person has answered.
    assert [each for each in of_kind(client, session, "permission.asked") if each["type"] == "egress"] == []
    works(client, session)
    shows_its_own_interface(client, session, agent)

    stop(client, session, "/demo long 5000 20ms", "message.delta")
    stop(client, session, "/demo tools 600 100ms", "tool.upsert")
    said(client, session, f"/demo run {STOPPED}")
    assert has(client, session, "stopped.txt")

    said(client, session, f"/demo run {LEAVE}")
    assert has(client, session, "runs.txt")
    client.call("DELETE", f"/sessions/{session}/keep/")
    client.status(session, "asleep")
    assert [each["reason"] for each in of_kind(client, session, "instance.stopped")] == ["idle"]
    catalogue = {each["id"]: each for each in client.get("/agents/")["results"]}
    assert what_is_left(client, session) == catalogue[agent]["survives_resume"]
    started = of_kind(client, session, "instance.started")
    assert [each.get("resumed", False) for each in started] == [False, True]
    assert {each["agent"]["version"] for each in started} == {catalogue[agent]["version"]}


def stop(client: Client, session: str, prompt: str, kind: str) -> None:
    """Stops the agent in the midst of this prompt, when it does what it was asked for."""
    client.call("PATCH", f"/sessions/{session}/", {"mode": "auto"})
    turn = client.prompt(session, prompt)
    eventually(lambda: of_kind(client, session, kind, turn), SECONDS, lambda: "it does not begin")
    client.post(f"/sessions/{session}/interrupt/", {"turn": turn})
    assert client.ended(session, turn)["stop_reason"] == "cancelled"


def works(client: Client, session: str) -> None:
    """A file is written and a command run, as the catalogue says; what that costs is what the script says."""
    turn = client.prompt(session, "/demo work")
    ended = finished(client, session, turn)
    assert ended["stop_reason"] == "end_turn", ended
    assert texts(ended).endswith("All done: one file written and one command run.")
    content = client.raw("GET", f"/sessions/{session}/files/content/", params={"path": "hello.txt"})
    assert b"hello from the demo model" in content.content
    commands = [item for item in ended["items"] if item["type"] == "tool" and item["tool_kind"] == "execute"]
    assert commands and commands[-1]["status"] == "completed"
    assert of_kind(client, session, "permission.asked", turn)
    counted = [(each["input"], each["output"]) for each in of_kind(client, session, "usage", turn)]
    assert [each for each in counted if each in WORK] == WORK


def shows_its_own_interface(client: Client, session: str, agent: str) -> None:
    opened = client.post(f"/sessions/{session}/terminals/", {"rows": 24, "cols": 80, "agent": True})
    with TerminalClient(client, session, opened["id"]) as shown:
        shown.shows(INTERFACES[agent], SECONDS)
    client.call("DELETE", f"/sessions/{session}/terminals/{opened['id']}/")


def what_is_left(client: Client, session: str) -> Mapping[str, bool]:
    """Wakes the session up: whether its files, its conversation and what ran in the background are there."""
    again = client.prompt(session, "and once more, please")
    eventually(lambda: client.raw("POST", f"/sessions/{session}/keep/").is_success, SECONDS, lambda: "asleep")
    conversation = texts(finished(client, session, again))
    said(client, session, f"/demo run {RUNS} || touch gone.txt")
    return {
        "files": has(client, session, "hello.txt"),
        "conversation": conversation == demo_model.expected_text("and once more, please", again=True),
        "processes": not has(client, session, "gone.txt"),
    }
