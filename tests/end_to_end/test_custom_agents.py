"""An agent of an administrator: registered in the admin, and used in a session like any other."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx2

from tests.end_to_end.client import Client, sign_in, texts

PROGRAM = Path(__file__).resolve().parents[1] / "fakes" / "tiny_acp.py"


def register(url: str, **fields: str) -> None:
    """Fill in the form of the admin, as its first user."""
    cookies = {cookie["name"]: cookie["value"] for cookie in sign_in(url)}
    page = f"{url}/admin/sessions_app/customagent/add/"
    with httpx2.Client(cookies=cookies, headers={"origin": url, "referer": page}) as browser:
        form = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(page).text)
        assert form, "no form for a new agent"
        answer = browser.post(page, data={"csrfmiddlewaretoken": form[1], **fields})
        assert answer.status_code == 302, answer.text


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
