"""A session's repositories, with git in the real box program: what was claimed, and nothing else."""

from __future__ import annotations

from pathlib import Path

from sidecar.protocol.egress import Egress
from sidecar.protocol.git import Repository
from sidecar.workspace import repositories
from tests.fakes.living import living
from tests.fakes.pair import Pair

NOWHERE = Repository(host="nowhere.invalid", path="team/app")


async def said(pair: Pair, address: str = "https://nowhere.invalid/team/app.git") -> str:
    """What git in the box says when it looks at a repository."""
    assert pair.sidecar.instance is not None
    box = pair.sidecar.instance._box
    words = ["git", "ls-remote", address]
    # A proxy of the box is no obstacle where it was told the way.
    proxy = {"http_proxy": "http://127.0.0.1:9"} if pair.station.repositories else {"no_proxy": "*"}
    env = {"GIT_TERMINAL_PROMPT": "0", **proxy}
    process = await box.exec(["sh", "-c", 'exec "$@" 2>&1', "sh", *words], env=env, cwd=".")
    return (await process.stream.read()).decode()


async def test_git_in_the_box_reaches_what_was_claimed(tmp_path: Path) -> None:
    async with living(tmp_path) as pair:
        pair.station.repositories = [NOWHERE]
        pair.station.egress = Egress(policy="allow-list")
        await pair.ready()
        # There is no such host, but it was looked up.
        assert "nowhere.invalid cannot be reached" in await said(pair)
        told = await said(pair, "https://nowhere.invalid/team/other.git")
        assert "no repository of this session. It has: nowhere.invalid/team/app." in told


async def test_a_claim_without_repositories_has_none(tmp_path: Path) -> None:
    async with living(tmp_path) as pair:
        pair.station.egress = Egress(policy="allow-list")
        await pair.ready()
        assert not list((tmp_path / "home").glob(".*git*"))
        gate = f"http://127.0.0.1:{_port(pair)}/nowhere.invalid/team/app.git"
        assert "no repository of this session. It has: none." in await said(pair, gate)


def _port(pair: Pair) -> int:
    assert pair.sidecar.instance is not None
    return pair.sidecar.instance._box.gate_ports["git"]


async def test_the_way_is_told_once_however_often_a_session_starts(tmp_path: Path) -> None:
    async with living(tmp_path) as pair:
        pair.station.repositories = [NOWHERE]
        pair.station.egress = Egress(policy="allow-list")
        await pair.ready()
        assert pair.sidecar.instance is not None
        await repositories.lead(pair.sidecar.instance._box, [NOWHERE.host], _port(pair))
        assert "nowhere.invalid cannot be reached" in await said(pair)
    assert (tmp_path / "home/.gitconfig").read_text().count("path =") == 1
