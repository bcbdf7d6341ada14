"""An agent of an administrator: registered in the admin, and used in the browser like any other."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.client import Client
from tests.end_to_end.custom_agents import register
from tests.end_to_end.screens import NewSession

PROGRAM = Path(__file__).resolve().parents[1] / "fakes" / "tiny_acp.py"


def test_an_agent_that_an_administrator_registers_works_like_others(
    open_window: OpenWindow, owner: Client
) -> None:
    register(
        owner.url,
        slug="tiny",
        name="Tiny",
        command=json.dumps(["python3", "-c", PROGRAM.read_text()]),
        environment=json.dumps({"GREETING": "Noted with {model}"}),
        wires=json.dumps(["openai-chat"]),
        is_enabled="on",
    )
    listed = {agent["id"]: agent for agent in owner.get("/agents/")["results"]}
    assert listed["tiny"]["is_custom"]
    window = open_window()
    window.open()
    session = NewSession(window).start("buy milk", agent="tiny")
    turn = session.last_turn()
    card = turn.asked()
    expect(card.box).to_contain_text("Write it down")
    card.allow()
    turn.wait()
    assert turn.text() == "Noted with demo: buy milk"
    expect(window.page.get_by_test_id("session-agent")).to_contain_text("Tiny 0.1")
    content = owner.raw("GET", f"/sessions/{session.id}/files/content/", params={"path": "said.txt"})
    assert content.content == b"buy milk"
