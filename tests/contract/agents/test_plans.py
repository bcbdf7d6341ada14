"""Real Claude Code and Codex with the login of a plan, which stays outside of their box; `make conformance`.

What stands for the services of these plans is the demo model: it wants the login as they do, and the calls
that reach it are looked at for what they are known to ask for. The services themselves are not to be reached.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sidecar.demo_model import expected
from sidecar.protocol import login
from tests.contract.agents.live_acp import LiveAcp, live_acp
from tests.contract.agents.test_acp_agents import RECIPES, WIRES, laid_out

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("OPENAGENT_CONFORMANCE" not in os.environ, reason="make conformance runs it"),
]

TOKEN = "sk-ant-oat01-CANARY-0123456789abcdef"
ACCESS = "eyJhbGciOiJub25lIn0.CANARY-claims.CANARY-signature"
KEYS = {"claude": TOKEN, "codex": login.pack(login.ChatGPT(access_token=ACCESS, account_id="acc-1"))}
LOGINS = {"claude": "claude", "codex": "chatgpt"}


@pytest.mark.parametrize("agent", ["claude", "codex"])
async def test_a_turn_with_the_login_of_a_plan(agent: str, tmp_path: Path) -> None:
    agents = laid_out(tmp_path, agent)
    plan = {"wire": WIRES[agent], "key": KEYS[agent], "plan": LOGINS[agent]}
    async with live_acp(tmp_path / "run", RECIPES[agent], agents, **plan) as live:
        turn = await live.recorder.run("/demo plain")
        assert turn.error is None
        assert turn.text == "".join(expected("/demo plain").messages)
        calls = [call for call in live.demo.exchanges if call.wire]
        assert calls and all(call.status == 200 for call in calls)
        for call in calls:
            _is_as_the_service_wants_it(agent, call.headers, call.body)
        assert live.usages
        _finds_nothing(live, login.secret_of(KEYS[agent]))
        refused = await live.recorder.run("/demo error401")
        assert refused.error is not None and refused.error.error_class == "provider_auth"


def _is_as_the_service_wants_it(agent: str, headers: dict[str, str], body: dict[str, Any]) -> None:
    assert headers["authorization"] == f"Bearer {login.secret_of(KEYS[agent])}"
    if agent == "claude":
        assert "oauth-2025-04-20" in headers["anthropic-beta"].split(",")
        assert "x-api-key" not in headers
        # A token of a plan is for Claude Code, which says so first of all.
        first = body["system"] if isinstance(body["system"], str) else str(body["system"][:2])
        assert "Claude" in first
    else:
        assert headers["chatgpt-account-id"] == "acc-1"
        assert headers["originator"]
        assert (body["store"], body["stream"]) == (False, True)
        assert body["input"][0]["role"] == "developer" and "Codex CLI" in str(body["input"][0])


def _finds_nothing(live: LiveAcp, secret: str) -> None:
    """Neither in the environments of the agent's processes nor in any file of its box."""
    environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in live.pids]
    assert environments and not any(secret.encode() in each for each in environments)
    folder = str(live.workspace.parent)
    # grep says 1 when it has found nothing; files that vanish meanwhile it is told not to mind.
    found = subprocess.run(["grep", "-rlsaF", secret, folder], capture_output=True, text=True, check=False)
    assert (found.stdout, any(live.workspace.parent.rglob("*"))) == ("", True)
