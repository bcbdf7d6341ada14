"""Whole turns of a real agent in its box, driven by REST."""

from __future__ import annotations

import uuid

from sidecar import demo_model
from tests.end_to_end.chosen_agent import ASKS, PLANS, SHOWS_TOOLS, can, only_if_it
from tests.end_to_end.client import Client, eventually, texts
from tests.end_to_end.instance import Instance
from tests.end_to_end.log_lines import lines
from tests.product import Product

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
    commands = [tool for tool in tools if tool["tool_kind"] == "execute"]
    assert commands and (not can(SHOWS_TOOLS) or any("OK" in tool["output"] for tool in commands))
    if can(PLANS):
        assert [entry["status"] for entry in ended["plan"]] == ["completed"] * 3
    files = {entry["name"] for entry in client.get(f"/sessions/{session}/files/")["entries"]}
    assert {"app.py", "test_app.py"} <= files
    content = client.raw("GET", f"/sessions/{session}/files/content/", params={"path": "app.py"})
    assert b"http.server" in content.content


@only_if_it(ASKS)
def test_a_command_waits_for_its_permission(product: Product, client: Client) -> None:
    session = client.new_session()
    request, turn = str(uuid.uuid4()), str(uuid.uuid4())
    sent = {"id": turn, "text": "/demo permission"}
    client.raw(
        "POST", f"/sessions/{session}/prompts/", json=sent, headers={"x-request-id": request}
    ).raise_for_status()
    asked = client.pending(session)
    assert asked["type"] == "tool" and asked["command"]
    client.status(session, "needs_you")
    client.answer(asked["id"], choice="once")
    ended = client.ended(session, turn)
    assert ended["stop_reason"] == "end_turn"
    assert (
        client.raw("POST", f"/permissions/{asked['id']}/answer/", json={"choice": "reject"}).status_code
        == 409
    )
    # From whoever asked to the sidecar, one id finds everything that was done for it.
    told = {"request_id": request, "session_id": session, "turn_id": turn}
    instance = Instance(product, client, session)

    def is_told() -> bool:
        web, sidecar = (product.data.logs / "web.log").read_text(), instance.log
        told_of = [(web, "request_finished"), (sidecar, "turn begun"), (sidecar, "turn ended")]
        return all(any(told.items() <= line.items() for line in lines(*each)) for each in told_of)

    eventually(is_told, 30, lambda: f"{told} not in {instance.log}\n{product.logs()}")
