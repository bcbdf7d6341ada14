"""A session's repository is cloned by the box's own git, through the gate, when the session begins."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from sidecar import session
from sidecar.gate.egress import addresses
from sidecar.gate.git.gate import GitGate
from sidecar.protocol.egress import Egress
from sidecar.protocol.git import Repository
from sidecar.workspace import repositories
from tests.fakes.git_host import GitHost, git_host
from tests.fakes.living import living
from tests.fakes.pair import Pair

PUBLIC = "93.184.216.34"
ALLOWED = Egress(policy="allow-list")
OURS = Repository(host="git.example.com", path="team/app", provider="git", push=["openagent/*"])


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHost]:
    """One at a public address, which is played by loopback, that the gate trusts."""

    async def resolve(name: str, port: int) -> list[str]:
        return [PUBLIC]

    async def connect(asked: list[str], port: int) -> addresses.Stream:
        return await asyncio.open_connection("127.0.0.1", made.port)

    with git_host(tmp_path / "host") as made:
        made.make("team/app")
        tls = ssl.create_default_context(cafile=str(made.certificate))
        monkeypatch.setattr(session, "GitGate", partial(GitGate, resolve=resolve, connect=connect, tls=tls))
        yield made


async def begin(pair: Pair, host: GitHost, repository: Repository) -> list[str]:
    """What the log says went wrong when a session with this repository began."""
    pair.station.egress = ALLOWED
    pair.station.repositories = [repository]
    pair.station.keys["git"] = host.token
    await pair.ready()
    errors = pair.station.datas("error")
    assert {error["class"] for error in errors} <= {"clone_failed"}
    return [str(error["message"]) for error in errors]


async def test_a_session_begins_with_a_clone_and_has_it_once(host: GitHost, tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    async with living(folder) as pair:
        # Of a start that was cut off in the midst of it.
        (folder / "workspace/.openagent-clone/.git").mkdir(parents=True)
        assert await begin(pair, host, OURS) == []
        assert [stage.stage for stage in pair.station.stages][-4:] == ["box", "repository", "agent", "ready"]
        assert {far.stage for far in pair.station.progress} == {"repository"}
        work = folder / "workspace"
        assert (work / "readme.txt").read_text() == "hello\n"
        assert "url = https://git.example.com/team/app.git" in (work / ".git/config").read_text()
        assert "name = OpenAgent" in (work / ".git/config").read_text(), "it can commit"
        assert pair.sidecar.instance is not None
        box = pair.sidecar.instance._box
        # A checkout that was cut off is made again.
        (work / ".git/openagent-checkout").touch()
        (work / "readme.txt").unlink()
        (folder / "home/.openagent-cloned").unlink()
        assert await repositories.clone(box, OURS, lambda far: None) == ""
        assert (work / "readme.txt").read_text() == "hello\n"
        assert not (work / ".git/openagent-checkout").exists()
        # Whoever throws everything away does not get it back at the next start.
        emptied = await box.exec(["sh", "-c", "rm -rf .git readme.txt"], env={}, cwd=".")
        await emptied.wait()
        assert await repositories.clone(box, OURS, lambda far: None) == ""
        assert list(work.iterdir()) == []
    # The token is nowhere in what the box has.
    for file in folder.rglob("*"):
        assert "run" in file.parts or not file.is_file() or host.token.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("repository", "words"),
    [
        (Repository(host="git.example.com", path="team/none", provider="git"), "no such repository"),
        (Repository(host="git.example.com", path="team/app"), "refuses its token"),
        (
            Repository(host="git.example.com", path="team/app", provider="git", branch="nope"),
            "nope not found",
        ),
    ],
    ids=["unknown", "without a token", "unknown branch"],
)
async def test_a_clone_that_fails_is_told_and_the_session_goes_on(
    host: GitHost, tmp_path: Path, repository: Repository, words: str
) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    async with living(folder) as pair:
        [message] = await begin(pair, host, repository)
        assert f"git.example.com/{repository.path} was not cloned" in message and words in message
        assert host.token not in message
        assert list((folder / "workspace").iterdir()) == []


async def test_a_workspace_that_has_something_is_left_alone(host: GitHost, tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    async with living(folder) as pair:
        (folder / "workspace" / "mine.txt").write_text("mine")
        assert await begin(pair, host, OURS) == []
        assert [file.name for file in (folder / "workspace").iterdir()] == ["mine.txt"]
    assert host.seen == []


async def test_a_token_for_a_host_of_its_own_is_asked_for_with_the_address(
    host: GitHost, tmp_path: Path
) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    own = Repository(
        host="git.example.com", path="team/app", provider="git", base_url="https://git.example.com"
    )
    async with living(folder) as pair:
        assert await begin(pair, host, own) == []
        asked = {(request.provider, request.base_url) for request in pair.station.key_requests}
        assert ("git", "https://git.example.com") in asked


async def test_without_any_network_there_is_no_clone_and_no_push(host: GitHost, tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    async with living(folder) as pair:
        assert await begin(pair, host, OURS) == []
        pair.station.order(Egress(policy="none"))
        await pair.station.until(lambda: len(pair.station.done) == 2)
        assert pair.sidecar.instance is not None
        asked = len(host.seen)
        for command in ("fetch", "push origin main:openagent/x"):
            process = await pair.sidecar.instance._box.exec(
                ["sh", "-c", f"git {command} 2>&1"], env={}, cwd="."
            )
            said = (await process.stream.read()).decode()
            assert await process.wait() != 0 and "The network policy of this session is none." in said
        assert len(host.seen) == asked


async def test_a_platform_that_knows_no_such_stage_is_not_told_of_it(host: GitHost, tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    async with living(folder, version=5) as pair:
        assert await begin(pair, host, OURS) == []
        assert "repository" not in {stage.stage for stage in pair.station.stages}
        assert (folder / "workspace/readme.txt").exists() and not pair.station.progress


async def test_a_clone_can_be_cancelled_and_leaves_nothing(host: GitHost, tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    host.has_time.clear()
    async with living(folder) as pair:
        pair.station.egress = ALLOWED
        pair.station.repositories = [OURS]
        pair.station.keys["git"] = host.token
        pair.station.claim()
        await pair.station.until(lambda: bool(pair.station.progress))
        while not any(line.startswith("POST") for line, _ in host.seen):
            await asyncio.sleep(0.01)
        pair.sidecar.stop("user")
        await pair.exit()
        assert "agent" not in {stage.stage for stage in pair.station.stages}
        assert list((folder / "workspace").iterdir()) == []


@pytest.mark.parametrize(
    ("limit", "seconds", "words"),
    [
        ("SILENT_SECONDS", 0.5, "It did not go on for 0.5 seconds."),
        ("CLONE_SECONDS", 0.6, "It was not done after 0.01 minutes."),
    ],
)
async def test_a_clone_that_does_not_go_on_or_takes_too_long_is_given_up(
    host: GitHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, seconds: float, words: str
) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    host.has_time.clear()
    monkeypatch.setattr(repositories, limit, seconds)
    async with living(folder) as pair:
        [message] = await begin(pair, host, OURS)
        assert words in message
        assert list((folder / "workspace").iterdir()) == []
