"""Whole turns of a real OpenCode in its box, driven by REST."""

from __future__ import annotations

from sidecar import demo_model
from tests.end_to_end.client import Client, texts

GOAL = "write a small web app with a test and run it"


def test_a_newcomers_prompt_writes_files_and_runs_them(client: Client) -> None:
    session = client.new_session(mode="auto")
    turn = client.prompt(session, GOAL)
    ended = client.ended(session, turn)
    assert ended["stop_reason"] == "end_turn", ended
    expected = demo_model.expected(GOAL)
    assert texts(ended) == "".join(expected.messages)
    tools = [item for item in ended["items"] if item["type"] == "tool"]
    assert [tool["status"] for tool in tools] == ["completed"] * len(tools)
    assert any("OK" in tool["output"] and tool["tool_kind"] == "execute" for tool in tools)
    assert [entry["status"] for entry in ended["plan"]] == ["completed"] * 3
    files = {entry["name"] for entry in client.get(f"/sessions/{session}/files/")["entries"]}
    assert {"app.py", "test_app.py"} <= files
    content = client.raw("GET", f"/sessions/{session}/files/content/", params={"path": "app.py"})
    assert b"http.server" in content.content


def test_a_command_waits_for_its_permission(client: Client) -> None:
    session = client.new_session()
    turn = client.prompt(session, "/demo permission")
    asked = client.pending(session)
    assert asked["type"] == "tool" and asked["command"]
    assert client.session(session)["status"] == "needs_you"
    client.answer(asked["id"], choice="once")
    ended = client.ended(session, turn)
    assert ended["stop_reason"] == "end_turn"
    assert (
        client.raw("POST", f"/permissions/{asked['id']}/answer/", json={"choice": "reject"}).status_code
        == 409
    )
