"""The main job with real OpenCode where an instance is two containers, in the life of one session.

OPENAGENT_TEST_DRIVER=docker runs the other end-to-end tests on containers.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sidecar import demo_model
from tests.container_product import ContainerProduct
from tests.docker_fixtures import BUILD_SECONDS
from tests.end_to_end.client import Client, eventually, first_run, texts
from tests.end_to_end.custom_agents import WORKING, register_working
from tests.end_to_end.replay import check_replay
from tests.end_to_end.sites import ContainerSite
from tests.product import running

GOAL = "write a small web app with a test and run it"
AGAIN = "and once more, please"


@pytest.fixture
def contained(real_images: dict[str, str]) -> Iterator[ContainerProduct]:
    with running(make=ContainerProduct) as product:
        assert product.url and isinstance(product, ContainerProduct)
        yield product


@pytest.mark.slow
@pytest.mark.timeout(BUILD_SECONDS)
def test_a_session_works_asks_sleeps_and_goes_on(contained: ContainerProduct) -> None:
    client = first_run(contained.url)
    site = ContainerSite(contained.engine, contained.data.root)
    session = client.new_session()
    turn = client.prompt(session, GOAL)
    assert allow_all(client, session, turn) == 3, "two files and a command"
    ended = client.ended(session, turn)
    assert texts(ended) == "".join(demo_model.expected(GOAL).messages)
    assert any("OK" in item["output"] for item in ended["items"] if item["type"] == "tool")
    names = {entry["name"] for entry in client.get(f"/sessions/{session}/files/")["entries"]}
    assert {"app.py", "test_app.py"} <= names
    modes = {each["Config"]["Hostname"]: each["HostConfig"]["NetworkMode"] for each in site.containers()}
    assert modes.keys() == {"sidecar", "box"} and modes["box"] == "none"

    client.post(f"/sessions/{session}/stop/")
    client.status(session, "asleep")
    eventually(lambda: not site.containers(), 60, lambda: f"they are left: {site.volumes()}")
    disk = eventually(lambda: client.session(session)["disk"], 60, lambda: "its disk was not measured")
    assert disk["bytes"] > len("class App(BaseHTTPRequestHandler):")
    again = client.prompt(session, AGAIN)
    allow_all(client, session, again)
    ended = client.ended(session, again)
    # The script shows that the agent has its conversation, the command that the box has its files.
    assert texts(ended) == demo_model.expected_text(AGAIN, again=True)
    assert any("Ran 4 tests" in item["output"] for item in ended["items"] if item["type"] == "tool")
    check_replay(client, session)
    client.close()


@pytest.mark.variant
@pytest.mark.timeout(BUILD_SECONDS)
def test_a_registered_agent_works_as_root_of_its_box(real_images: dict[str, str]) -> None:
    with running(make=ContainerProduct, OPENAGENT_BOX_ROOT="1") as product:
        client = first_run(product.url, "admin", "write", "read")
        register_working(product.url)
        session = client.new_session(agent=WORKING, mode="auto")
        ended = client.ended(session, client.prompt(session, "/demo run id -u && git log --format=%s"))
        said = "".join(item["output"] for item in ended["items"] if item["type"] == "tool")
        # The workspace is another user's, and git works in it all the same.
        assert said.split("\n")[:2] == ["0", "Empty workspace"], ended
        client.close()


def allow_all(client: Client, session: str, turn: str) -> int:
    """Says yes to whatever is asked until the turn has ended; how often."""
    answered: set[str] = set()

    def has_ended() -> bool:
        for asked in client.get(f"/permissions/?state=pending&session={session}")["results"]:
            client.answer(asked["id"], choice="once")
            answered.add(asked["id"])
        found = client.turn(session, turn)
        return bool(found and found["status"] == "ended")

    eventually(has_ended, 240, lambda: f"the turn does not end: {client.session(session)}")
    return len(answered)
