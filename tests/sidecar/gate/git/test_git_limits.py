"""How much a connection may bring to the git gate: a refusal bounds itself, and nothing that comes after."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from sidecar.protocol.git import Repository
from tests.fakes.git_host import GitHost
from tests.sidecar.gate.git.test_git_gate import box_of, commands, host

__all__ = ["host"]


async def test_after_a_refusal_a_large_push_may_follow_on_the_same_connection(
    host: GitHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.gate.git.gate._REFUSED_BYTES", 1000)
    echoing = Repository(host=host.name, path="team/echo", provider="git", push=["openagent/*"])
    async with (
        box_of(host, tmp_path, repositories=[echoing]) as box,
        httpx2.AsyncClient(base_url=box.url, trust_env=False) as client,
    ):
        push = "/git.example.com/team/echo/git-receive-pack"
        refused = await client.post(push, content=commands("main"))
        unknown = await client.get("/git.example.com/team/none/info/refs?service=git-upload-pack")
        large = await client.post(push, content=commands("openagent/x") + bytes(100_000))
    assert "may push to openagent/* only" in refused.text and unknown.status_code == 403
    assert large.status_code == 200 and "you said" in large.text
