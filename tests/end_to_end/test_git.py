"""A session with a repository of a git host of one's own, on a private network, from end to end.

Clone, fetch and push go over HTTPS from the box through the gate, with a token that the box never has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests import needs
from tests.end_to_end.client import Client, first_run, texts
from tests.end_to_end.custom_agents import WORKING, register_working
from tests.fakes import neighbour
from tests.fakes.git_host import GitHost, git_host
from tests.product import data_directory, running

pytestmark = [pytest.mark.variant, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def host() -> Iterator[GitHost]:
    with (
        data_directory() as folder,
        neighbour.neighbour() as listener,
        git_host(folder / "host", name=neighbour.ADDRESS, listener=listener) as made,
    ):
        (folder / "host").chmod(0o755)
        made.certificate.chmod(0o644)
        made.make("team/app")
        yield made


@pytest.fixture(scope="module")
def client(host: GitHost) -> Iterator[Client]:
    needs.bubblewrap()
    place = json.dumps({"git": f"https://{neighbour.ADDRESS}:{host.port}"})
    with running(SSL_CERT_FILE=str(host.certificate), OPENAGENT_PROVIDER_BASE_URLS=place) as product:
        client = first_run(product.url, "admin", "write", "read")
        register_working(product.url)
        client.post("/keys/", {"provider": "git", "key": host.token})
        yield client
        client.close()


def begin(client: Client, host: GitHost, **fields: object) -> str:
    """A session with the host's repository."""
    url = f"https://{neighbour.ADDRESS}:{host.port}/team/app"
    return client.new_session(agent=WORKING, mode="auto", repository={"url": url}, **fields)


def output(client: Client, session: str, command: str) -> str:
    """What a command in the box printed."""
    ended = client.ended(session, client.prompt(session, f"/demo run {command}"))
    return "".join(item["output"] for item in ended["items"] if item["type"] == "tool") or texts(ended)


def test_a_session_clones_and_pushes_with_a_token_that_its_box_never_has(
    client: Client, host: GitHost
) -> None:
    session = begin(client, host)
    said = output(client, session, "cat readme.txt && git log --format=%s")
    assert "hello" in said and "first" in said
    stages = [stage["name"] for stage in client.session(session)["instance"]["stages"]]
    assert stages.index("box") < stages.index("repository") < stages.index("agent")
    commit = "git checkout -q -b openagent/x && git commit -q --allow-empty -m second"
    said = output(client, session, f"{commit} && git fetch -q && git push -q origin openagent/x 2>&1")
    assert host.branches("team/app") == {"main", "openagent/x"}, said
    refused = output(client, session, "git push origin HEAD:main 2>&1")
    assert "this session may push to openagent/* only" in refused
    places = "/home /workspace /tmp /proc/[0-9]*/environ /proc/[0-9]*/cmdline"
    # A pattern that does not find itself.
    token = f"'{host.token[:-1]}[{host.token[-1]}]'"
    found = output(client, session, f"grep -rla {token} {places} 2>/dev/null | wc -l")
    assert found.split()[0] == "0", found
    client.call("PATCH", f"/sessions/{session}/", {"egress": {"policy": "none"}})
    refused = output(client, session, "git fetch 2>&1; git push origin openagent/x 2>&1")
    assert refused.count("The network policy of this session is none.") == 2


def test_a_session_that_reaches_nothing_begins_without_its_repository_and_says_why(
    client: Client, host: GitHost
) -> None:
    session = begin(client, host, egress={"policy": "none"})
    assert output(client, session, "ls -A | grep -v .git | wc -l").split()[0] == "0"
    [error] = [event["data"] for event in client.events(session) if event["kind"] == "error"]
    assert error["class"] == "clone_failed"
    assert "The network policy of this session is none." in error["message"]
