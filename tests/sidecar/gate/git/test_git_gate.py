"""The git gate with git itself at both ends: a box's git on one side, git's own HTTP server on the other."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from sidecar.gate.egress import addresses
from sidecar.gate.git.gate import GitGate
from sidecar.gate.models import KeyUnavailable
from sidecar.protocol import messages
from sidecar.protocol.git import Repository
from tests.fakes.git_host import GitFailed, GitHost, git, git_host

PUBLIC = "93.184.216.34"
OURS = Repository(host="git.example.com", path="team/app", provider="git", push=["openagent/*"])


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHost]:
    with git_host(tmp_path_factory.mktemp("host")) as made:
        for path in ("team/app", "team/other"):
            made.make(path)
        yield made


@dataclass
class Box:
    """What a box has of git: a folder, and a configuration that leads to the gate. No token."""

    gate: GitGate
    port: int
    folder: Path
    told: list[tuple[str, messages.Data]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def git(self, *words: str) -> str:
        environment = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{self.url}/git.example.com/.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://git.example.com/",
        }
        return await asyncio.to_thread(git, *words, environment=environment)

    async def clone(self) -> str:
        """Where the clone is."""
        place = str(self.folder / "app")
        await self.git("clone", "-q", "https://git.example.com/team/app.git", place)
        return place

    async def commit(self, place: str, branch: str) -> None:
        await self.git("-C", place, "checkout", "-q", "-b", branch)
        (Path(place) / "new.txt").write_text(branch)
        await self.git("-C", place, "add", ".")
        await self.git("-C", place, "commit", "-q", "-m", branch)


def commands(branch: str) -> bytes:
    """How a push that makes this branch begins."""
    command = f"{'0' * 40} {'1' * 40} refs/heads/{branch}\0 report-status".encode()
    return b"%04x" % (len(command) + 4) + command + b"0000"


@asynccontextmanager
async def box_of(
    host: GitHost,
    folder: Path,
    *,
    repositories: list[Repository] | None = None,
    found: str = PUBLIC,
    error: KeyUnavailable | None = None,
) -> AsyncIterator[Box]:
    """A box whose gate finds the host at a public address, which is played by loopback."""

    async def token(provider: str) -> str:
        assert provider == "git"
        if error is not None:
            raise error
        return host.token

    async def resolve(name: str, port: int) -> list[str]:
        return [found]

    async def connect(asked: list[str], port: int) -> addresses.Stream:
        assert (asked, port) == ([PUBLIC], 443)
        return await asyncio.open_connection("127.0.0.1", host.port)

    gate = GitGate(
        [OURS] if repositories is None else repositories,
        token,
        lambda kind, data: box.told.append((kind, data)),
        resolve=resolve,
        connect=connect,
        tls=ssl.create_default_context(cafile=str(host.certificate)),
    )
    server = await asyncio.start_server(gate.handle, "127.0.0.1", 0)
    box = Box(gate, server.sockets[0].getsockname()[1], folder)
    try:
        yield box
    finally:
        server.close()
        gate.finish()
        await gate.close()


async def test_clone_fetch_commit_and_push_to_a_branch_that_is_allowed(host: GitHost, tmp_path: Path) -> None:
    async with box_of(host, tmp_path) as box:
        place = await box.clone()
        assert (Path(place) / "readme.txt").read_text() == "hello\n"
        await box.commit(place, "openagent/work")
        await box.git("-C", place, "push", "-q", "origin", "openagent/work")
        await box.git("-C", place, "fetch", "-q", "--all")
        assert "origin/openagent/work" in await box.git("-C", place, "branch", "-r")
        remotes = await box.git("-C", place, "config", "--get", "remote.origin.url")
        assert remotes.strip() == "https://git.example.com/team/app.git"
    assert "openagent/work" in host.branches("team/app")
    used = [messages.to_data(data) for kind, data in box.told if kind == "egress.used"]
    assert {entry["host"] for entry in used} == {"git.example.com"}
    # The token is nowhere in what the box has.
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or host.token.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["HEAD:main"], "this session may push to openagent/* only"),
        (["HEAD:refs/tags/v1"], "only branches may be pushed from this session"),
        ([":openagent/gone"], "branches may not be deleted from this session"),
        (["HEAD:openagent/x", "HEAD:main"], "another ref of this push is refused"),
    ],
)
async def test_a_push_elsewhere_is_refused_in_words(
    host: GitHost, tmp_path: Path, words: list[str], why: str
) -> None:
    git("-C", str(host.root / "team/app.git"), "branch", "-f", "openagent/gone", "main")
    async with box_of(host, tmp_path) as box:
        place = await box.clone()
        await box.commit(place, "mine")
        before = host.branches("team/app")
        with pytest.raises(GitFailed, match="remote rejected") as failed:
            await box.git("-C", place, "push", "origin", *words)
        assert why in str(failed.value)
    assert host.branches("team/app") == before


async def test_a_push_that_is_large_is_refused_as_well(host: GitHost, tmp_path: Path) -> None:
    async with box_of(host, tmp_path) as box:
        place = await box.clone()
        await box.git("-C", place, "checkout", "-q", "-b", "big")
        (Path(place) / "big").write_bytes(bytes(range(256)) * 4096 + os.urandom(3 << 20))
        await box.git("-C", place, "add", ".")
        await box.git("-C", place, "commit", "-q", "-m", "big")
        with pytest.raises(GitFailed, match="may push to"):
            await box.git("-C", place, "push", "origin", "big:main")
        await box.git("-C", place, "push", "-q", "origin", "big:openagent/big")
    assert "openagent/big" in host.branches("team/app")


async def test_another_repository_is_none_of_this_session(host: GitHost, tmp_path: Path) -> None:
    async with box_of(host, tmp_path) as box:
        with pytest.raises(GitFailed, match="no repository of this session"):
            await box.git("clone", "https://git.example.com/team/other.git", str(tmp_path / "x"))
    assert not any("other" in request for request, _ in host.seen)


SMUGGLED = [
    "/git.example.com/team/app/../other.git/info/refs?service=git-upload-pack",
    "/git.example.com/team/app%2f..%2fother.git/info/refs?service=git-upload-pack",
    "//evil.example/team/app.git/info/refs?service=git-upload-pack",
    "/git.example.com@evil.example/team/app.git/info/refs?service=git-upload-pack",
    "/git.example.com:8443/team/app.git/info/refs?service=git-upload-pack",
    "/git.example.com/team/app.git/objects/info/packs",
    "/git.example.com/team/app.git/info/lfs/objects/batch",
    "/git.example.com/team/app.git/HEAD",
    "/git.example.com/team/app.git/info/refs",
    "/git.example.com/team/app.git/info/refs?service=git-upload-archive",
    "/git.example.com/team/app.git/info/refs?service=git-upload-pack&x=y",
    "/git.example.com/team/app.git/git-upload-pack/",
]


@pytest.mark.parametrize("target", SMUGGLED)
async def test_what_is_no_request_of_git_for_ours_goes_nowhere(
    host: GitHost, tmp_path: Path, target: str
) -> None:
    before = len(host.seen)
    async with box_of(host, tmp_path) as box:
        reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read(-1)
        writer.close()
    assert int(answer.split()[1]) in (403, 404)
    assert len(host.seen) == before


async def test_the_boxs_own_account_is_never_shown(host: GitHost, tmp_path: Path) -> None:
    async with box_of(host, tmp_path) as box, httpx2.AsyncClient(base_url=box.url, trust_env=False) as client:
        await client.get(
            "/git.example.com/team/app.git/info/refs?service=git-upload-pack",
            headers={"authorization": "Bearer mine", "cookie": "a=b", "x-forwarded-host": "evil.example"},
        )
    _, shown = host.seen[-1]
    assert shown.startswith("Basic ") and "mine" not in shown


async def test_a_host_that_echoes_the_token_or_sends_elsewhere_tells_the_box_nothing(
    host: GitHost, tmp_path: Path
) -> None:
    names = [Repository(host=host.name, path=path, provider="git") for path in ("team/echo", "team/moved")]
    async with (
        box_of(host, tmp_path, repositories=names) as box,
        httpx2.AsyncClient(base_url=box.url, trust_env=False) as client,
    ):
        echo = await client.get("/git.example.com/team/echo/info/refs?service=git-upload-pack")
        moved = await client.get("/git.example.com/team/moved/info/refs?service=git-upload-pack")
    assert "you said" in echo.text and host.token not in echo.text + str(echo.headers)
    account = base64.b64encode(f"git:{host.token}".encode()).decode()
    assert account[8:-4] not in echo.text + str(echo.headers)
    assert (moved.status_code, moved.headers.get("location")) == (502, None)
    assert "elsewhere" in moved.text


async def test_a_key_that_is_missing_a_token_that_is_refused_and_no_token_at_all(
    host: GitHost, tmp_path: Path
) -> None:
    missing = KeyUnavailable("There is no key for this provider.")
    async with box_of(host, tmp_path, error=missing) as box:
        with pytest.raises(GitFailed, match=r"There is no key for this provider\."):
            await box.clone()
    plain = Repository(host=host.name, path="team/app")
    async with box_of(host, tmp_path, repositories=[plain]) as box:
        with pytest.raises(GitFailed, match="refuses its token"):
            await box.clone()
        with pytest.raises(GitFailed, match="no token for this host"):
            await box.git(
                "-C", str(host.root / "work/team/app"), "push", "https://git.example.com/team/app", "main"
            )


@pytest.mark.parametrize("found", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "64:ff9b::a9fe:a9fe"])
async def test_a_host_that_leads_into_a_private_network_is_not_asked(
    host: GitHost, tmp_path: Path, found: str
) -> None:
    before = len(host.seen)
    async with box_of(host, tmp_path, found=found) as box:
        with pytest.raises(GitFailed, match="private network"):
            await box.clone()
    assert len(host.seen) == before


async def test_a_key_that_is_revoked_ends_what_goes_on_with_it(host: GitHost, tmp_path: Path) -> None:
    async with box_of(host, tmp_path) as box:
        reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
        line = "POST /git.example.com/team/app.git/git-receive-pack HTTP/1.1"
        head = f"{line}\r\nHost: x\r\nContent-Length: 999\r\n\r\n"
        before = len(host.seen)
        writer.write(head.encode() + commands("openagent/x"))
        async with asyncio.timeout(20):
            while len(host.seen) == before:
                await asyncio.sleep(0.01)
            box.gate.key_revoked("another")
            box.gate.key_revoked("git")
            with suppress(ConnectionError):
                assert await reader.read(-1) == b""
        writer.close()


async def test_a_certificate_of_somebody_else_ends_it(host: GitHost, tmp_path: Path) -> None:
    other = Repository(host="other.example.com", path="team/app", provider="git")
    before = len(host.seen)
    async with (
        box_of(host, tmp_path, repositories=[other]) as box,
        httpx2.AsyncClient(base_url=box.url, trust_env=False) as client,
    ):
        answer = await client.get("/other.example.com/team/app/info/refs?service=git-upload-pack")
    assert answer.status_code == 502 and "certificate is not accepted" in answer.text
    assert len(host.seen) == before


def test_the_host_lets_nobody_in_without_the_token(host: GitHost) -> None:
    """So the tests above show that it was put in."""
    with pytest.raises(GitFailed, match=r"could not read Username|Authentication failed"):
        git(
            *("-c", f"http.sslCAInfo={host.certificate}", "-c", "credential.helper="),
            *("-c", f"http.curloptResolve={host.name}:{host.port}:127.0.0.1"),
            *("ls-remote", f"https://{host.name}:{host.port}/team/app.git"),
        )
