"""A budget that two sessions share stops both, at most one call of each beyond it; every call is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sidecar import demo_model
from sidecar.demo_model import scripts
from tests.end_to_end.client import SECONDS, Client, eventually
from tests.end_to_end.rig import KEY, MODEL, PROVIDER, Provider

PROMPT = "/demo work"
LIMIT = 1500
MOST = 326
"""The dearest call of the script."""


@pytest.fixture
def key(owner: Client) -> Iterator[str]:
    made = str(owner.post("/keys/", {"provider": PROVIDER, "key": KEY, "label": "shared"})["id"])
    yield made
    owner.call("DELETE", f"/keys/{made}/")


def provided(exchanges: list[demo_model.Exchange]) -> list[tuple[int, int]]:
    """What the provider told for each of its answers."""
    steps = [scripts.catalogue()[each.script].step[each.step] for each in exchanges]
    return [(step.usage.input, step.usage.output) for step in steps]


def counted(client: Client, session: str) -> list[tuple[int, int]]:
    """What the log tells of each call."""
    usages = [event["data"] for event in client.events(session) if event["kind"] == "usage"]
    return [(usage["input"], usage["output"]) for usage in usages if not usage.get("estimated")]


def test_sessions_that_share_a_budget_pass_it_by_one_call_each_at_most(
    client: Client, provider: Provider, key: str
) -> None:
    check_shared(client, provider, key)


def check_shared(client: Client, provider: Provider, key: str) -> None:
    """Both stop when the key's budget is used up."""
    budget = {"subject_kind": "key", "subject": key, "measure": "tokens", "period": "total", "limit": LIMIT}
    made = client.post("/budgets/", budget)
    before = len(provider.exchanges)
    fields: dict[str, Any] = {"provider": PROVIDER, "model": MODEL, "key": key, "mode": "auto"}
    sessions = [client.new_session(**fields, title=f"Sharing {number}") for number in (1, 2)]
    for session in sessions:
        client.awake(session)
    turns = [(session, client.prompt(session, PROMPT)) for session in sessions for _ in range(3)]

    def is_over() -> bool:
        """Nothing runs, and what did not run yet waits."""
        if client.get(f"/budgets/{made['id']}/")["level"] != "hard":
            return False
        states = {client.prompt_row(session, turn)["state"] for session, turn in turns}
        return not states & {"sent", "running"}

    eventually(is_over, SECONDS, lambda: str([client.session(session) for session in sessions]))

    def told() -> list[tuple[int, int]]:
        return sorted(call for session in sessions for call in counted(client, session))

    # An agent may end its turn at the last word of an answer; what that cost comes after it.
    wanted = sorted(provided(provider.exchanges[before:]))
    eventually(lambda: told() == wanted, 30, lambda: f"{told()}, not {wanted}")
    spent = sum(map(sum, wanted))
    assert LIMIT <= spent < LIMIT + MOST * len(sessions)
    assert client.get(f"/budgets/{made['id']}/")["used"] == spent
    for session, turn in turns:
        if client.prompt_row(session, turn)["state"] == "queued":
            client.call("DELETE", f"/sessions/{session}/prompts/{turn}/")
    client.call("DELETE", f"/budgets/{made['id']}/")
