"""An agent of an administrator: registered in the admin, and used in a session like any other."""

from __future__ import annotations

import json
from pathlib import Path

from tests.end_to_end.client import Client, texts
from tests.end_to_end.custom_agents import register

PROGRAM = Path(__file__).resolve().parents[1] / "fakes" / "tiny_acp.py"


def test_an_agent_that_an_administrator_registers_works_like_others(client: Client) -> None:
    register(
        client.url,
        slug="tiny",
        name="Tiny",
        command=json.dumps(["python3", "-c", PROGRAM.read_text()]),
        environment=json.dumps({"GREETING": "Noted with {model}"}),
        wires=json.dumps(["openai-chat"]),
        is_enabled="on",
    )
    listed = {agent["id"]: agent for agent in client.get("/agents/")["results"]}
    assert listed["tiny"]["is_custom"]
    session = client.new_session(agent="tiny")
    turn = client.prompt(session, "buy milk")
    asked = client.pending(session)
    assert asked["title"] == "Write it down"
    client.answer(asked["id"], choice="once")
    assert texts(client.ended(session, turn)) == "Noted with demo: buy milk"
    content = client.raw("GET", f"/sessions/{session}/files/content/", params={"path": "said.txt"})
    assert content.content == b"buy milk"
