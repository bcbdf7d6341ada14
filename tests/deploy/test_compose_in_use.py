"""What deploy/compose.yml runs is used as people use it, over its proxy, updated, saved and brought back."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import httpcore2
import pytest

from tests import needs
from tests.deploy.deployment import Deployment, deployed
from tests.deploy.test_compose import SERVICES
from tests.end_to_end.client import Client, eventually, first_run, texts
from tests.end_to_end.reader import Reader
from tests.end_to_end.replay import check_replay

pytestmark = [pytest.mark.variant, pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with deployed() as running:
        yield running


@pytest.fixture(scope="module")
def client(deployment: Deployment) -> Iterator[Client]:
    """The first user's, who believes in the certificate that the administrator put there, and in no other."""
    context = ssl.create_default_context(cafile=str(deployment.certificate))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpcore2, "default_ssl_context", lambda **_: context)
        patch.setenv("SSL_CERT_FILE", str(deployment.certificate))
        client = first_run(deployment.url, code=deployment.setup_code)
        yield client
        client.close()


def content(client: Client, session: str, path: str) -> bytes:
    return client.raw("GET", f"/sessions/{session}/files/content/", params={"path": path}).content


def run(client: Client, session: str, prompt: str) -> Any:
    ended = client.ended(session, client.prompt(session, prompt))
    assert ended["stop_reason"] == "end_turn", ended
    return ended


def test_a_session_works_stops_and_wakes_up(client: Client, deployment: Deployment) -> None:
    session = client.new_session(mode="auto")
    with Reader(client, session) as reader:
        run(client, session, "/demo work")
        reader.wait(lambda reader: reader.shown() == client.conversation(session), 30)
    assert not reader.log.complaints, reader.describe()
    assert b"hello from the demo model" in content(client, session, "hello.txt")
    client.post(f"/sessions/{session}/stop/")
    client.status(session, "asleep", "paused", "stopped")
    run(client, session, "/demo plain")
    assert b"hello from the demo model" in content(client, session, "hello.txt")
    started = [each for each in client.events(session) if each["kind"] == "instance.started"]
    assert [each["data"].get("resumed", False) for each in started] == [False, True]
    check_replay(client, session)


def test_an_update_leaves_what_runs_alone(client: Client, deployment: Deployment) -> None:
    session = client.new_session(mode="auto")
    turn = client.prompt(session, "/demo long 10000 40ms")
    eventually(lambda: client.turn(session, turn), 150, lambda: deployment.logs())
    before = {name: each["Id"] for name, each in deployment.containers().items()}
    deployment.update()
    after = {name: each["Id"] for name, each in deployment.containers().items()}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"migrate", "web", "worker", "provisioner", "beat"}
    told = len(texts(client.turn(session, turn)))
    eventually(lambda: len(texts(client.turn(session, turn))) > told, 60, deployment.logs)
    client.post(f"/sessions/{session}/interrupt/", {"turn": turn})
    assert client.ended(session, turn)["stop_reason"] == "cancelled"
    kinds = [event["kind"] for event in client.events(session)]
    assert kinds.count("instance.started") == kinds.count("turn.started") == 1
    check_replay(client, session)


def test_containers_are_locked_down_and_one_has_the_engine(deployment: Deployment) -> None:
    found = deployment.containers()
    assert set(found) == set(SERVICES)
    for name, each in found.items():
        host = each["HostConfig"]
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["Privileged"], name
        assert host["SecurityOpt"] == ["no-new-privileges:true"], name
        assert host["Memory"] and host["PidsLimit"], name
        assert each["Config"]["User"].partition(":")[0] not in ("", "0", "root"), name
        sources = {mount.get("Source") for mount in each["Mounts"]}
        assert (str(needs.docker()) in sources) == (name == "provisioner"), name
        shown = str(each["Config"]) + str(each["Args"])
        for file in deployment.data.secrets.iterdir():
            assert file.read_text().strip() not in shown, (name, file.name)


def test_all_are_healthy(deployment: Deployment) -> None:
    def look() -> bool:
        states = {name: each["State"] for name, each in deployment.containers().items()}
        ended = states.pop("migrate")
        assert (ended["Status"], ended["ExitCode"]) == ("exited", 0)
        return {state["Health"]["Status"] for state in states.values()} == {"healthy"}

    eventually(look, 150, deployment.logs)


def test_a_saved_installation_is_brought_back(client: Client, deployment: Deployment) -> None:
    session = client.new_session(mode="auto")
    run(client, session, "/demo work")
    deployment.save(deployment.place / "monday")
    deployment.lose()
    deployment.bring_back(deployment.place / "monday")
    eventually(lambda: client.raw("GET", "/me/").is_success, 150, deployment.logs)
    run(client, session, "/demo plain")
    assert b"hello from the demo model" in content(client, session, "hello.txt")
    started = [each for each in client.events(session) if each["kind"] == "instance.started"]
    assert [each["data"].get("resumed", False) for each in started] == [False, True]
    check_replay(client, session)
