"""The catalogue of agents and what sessions used, over REST."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app.api import answers, usage_answers
from sessions_app.models import CustomAgent, Session, UsageEvent
from tests.sessions_app.api.problems import problem
from tests.sessions_app.conftest import make_session

COUNTS = {"input": 100, "output": 20, "cached": 50, "reasoning": 5}
ONCE, TWICE = {**COUNTS, "calls": 1}, {**{k: 2 * v for k, v in COUNTS.items()}, "calls": 2}


def use(session: Session, model: str = "m") -> UsageEvent:
    return UsageEvent.objects.create(
        session=session,
        owner=session.owner,
        request_id=str(UsageEvent.objects.count()),
        provider="demo",
        model=model,
        **COUNTS,
    )


def test_agents_are_listed_with_the_version_that_is_pinned(alice_client: APIClient) -> None:
    body = alice_client.get("/api/v1/agents/").json()
    agent, *others = body["results"]
    pinned = json.loads((settings.BASE_DIR / "deploy/agents/package.json").read_text())
    assert (agent["id"], agent["name"]) == ("opencode", "OpenCode")
    assert [other["id"] for other in others] == ["copilot", "claude", "codex", "gemini"]
    assert all(other["version"] for other in others)
    assert agent["version"] == pinned["optionalDependencies"]["opencode-linux-x64"]
    assert agent["survives_resume"] == {"files": True, "conversation": True, "processes": False}
    assert set(agent["wires"]) == {"openai-chat", "openai-responses", "anthropic", "google"}
    assert answers.AgentSerializer(agent).data == agent
    assert (body["next"], body["previous"]) == (None, None)


def test_agents_of_administrators_are_listed(alice_client: APIClient) -> None:
    CustomAgent.objects.create(slug="mine", name="Mine", command=["mine"], wires=["google"])
    CustomAgent.objects.create(slug="off", name="Off", command=["off"], wires=["google"], is_enabled=False)
    agents = alice_client.get("/api/v1/agents/").json()["results"]
    assert [(agent["id"], agent["name"]) for agent in agents if agent["is_custom"]] == [("mine", "Mine")]
    assert agents[-1]["is_installed"] is True


def test_an_agent_that_is_not_laid_out_says_so(alice_client: APIClient, tmp_path: Path) -> None:
    (tmp_path / "codex").mkdir()
    with override_settings(OPENAGENT_AGENTS_DIR=tmp_path):
        agents = alice_client.get("/api/v1/agents/").json()["results"]
    assert [agent["id"] for agent in agents if agent["is_installed"]] == ["codex"]


def test_use_is_summed_by_session(session: Session, alice: User, bob: User, alice_client: APIClient) -> None:
    use(session)
    use(session)
    use(make_session(alice, title="Other"))
    use(make_session(bob, title="Bob's"))
    body = alice_client.get("/api/v1/usage/?group=session").json()
    assert body["totals"]["calls"] == 3
    assert {row["title"]: row["calls"] for row in body["results"]} == {"Alice's session": 2, "Other": 1}
    assert body["results"][0].keys() == {"session", "title", *TWICE}
    assert usage_answers.UsageSummarySerializer(body).data == body


def test_use_is_summed_by_model_and_by_day(session: Session, alice_client: APIClient) -> None:
    use(session, "a")
    use(session, "b")
    by_model = alice_client.get("/api/v1/usage/?group=model").json()["results"]
    assert by_model == [
        {"provider": "demo", "model": "a", **ONCE},
        {"provider": "demo", "model": "b", **ONCE},
    ]
    today = UsageEvent.objects.earliest("pk").created_at.date().isoformat()
    assert alice_client.get("/api/v1/usage/").json()["results"] == [{"day": today, **TWICE}]


def test_a_span_of_days_can_be_asked_for(session: Session, alice_client: APIClient) -> None:
    use(session)
    UsageEvent.objects.update(created_at=timezone.now().replace(2026, 3, 5))
    assert alice_client.get("/api/v1/usage/?from=2026-03-05&to=2026-03-06").json()["totals"] == ONCE
    assert alice_client.get("/api/v1/usage/?from=2026-03-06").json()["totals"]["calls"] == 0
    assert alice_client.get("/api/v1/usage/?to=2026-03-05T00:00:00Z").json()["totals"]["calls"] == 0


@pytest.mark.parametrize("query", ["from=yesterday", "to=2026-13-01", "group=user"])
def test_a_span_that_makes_no_sense_is_refused(alice_client: APIClient, query: str) -> None:
    body = problem(alice_client.get(f"/api/v1/usage/?{query}"), 400, "invalid")
    assert list(body["errors"]) == [query.split("=")[0]]


def test_the_use_of_one_session(session: Session, alice_client: APIClient) -> None:
    use(session)
    body = alice_client.get(f"/api/v1/sessions/{session.pk}/usage/").json()
    assert body == {
        "totals": ONCE,
        "by_turn": [{"turn": None, **ONCE}],
        "by_model": [{"provider": "demo", "model": "m", **ONCE}],
    }
    assert usage_answers.SessionUsageSerializer(body).data == body
