"""The catalogue of agents, over REST."""

from __future__ import annotations

import json
from pathlib import Path

from django.conf import settings
from django.test import override_settings
from rest_framework.test import APIClient

from sessions_app.api import answers
from sessions_app.models import CustomAgent


def _locked(agent: str, package: str) -> str:
    lock = json.loads((settings.BASE_DIR / f"deploy/agents/{agent}/package-lock.json").read_text())
    return str(lock["packages"][f"node_modules/{package}"]["version"])


def test_agents_are_listed_with_the_version_that_is_pinned(alice_client: APIClient) -> None:
    body = alice_client.get("/api/v1/agents/").json()
    agent, *others = body["results"]
    pinned = json.loads((settings.BASE_DIR / "deploy/agents/package.json").read_text())
    assert (agent["id"], agent["name"]) == ("opencode", "OpenCode")
    assert [other["id"] for other in others] == ["copilot", "claude", "codex", "gemini"]
    assert all(other["version"] for other in others)
    assert agent["version"] == pinned["optionalDependencies"]["opencode-linux-x64"]
    # Of what comes with an adapter it is the agent's own version; Claude Code's is in no lock.
    claude = json.loads((settings.BASE_DIR / "deploy/agents/claude/package.json").read_text())
    assert others[1]["version"] == claude["config"]["program"]
    assert others[2]["version"] == _locked("codex", "@openai/codex")
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
