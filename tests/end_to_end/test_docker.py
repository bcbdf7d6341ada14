"""The main job with real OpenCode where box and sidecar are containers of a real engine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
import pytest

from openagent.lib.engine import PREFIX
from sidecar import demo_model
from tests import needs
from tests.docker_fixtures import BUILD_SECONDS, container_engine, real_images
from tests.end_to_end.client import Client, eventually, first_run, texts
from tests.end_to_end.replay import check_replay
from tests.end_to_end.rig import KEY, MODEL, PROVIDER, Provider
from tests.end_to_end.test_isolation import own_address
from tests.fakes import docker_host
from tests.product import Product, running

__all__ = ["container_engine", "real_images"]

pytestmark = [pytest.mark.timeout(BUILD_SECONDS)]

LONG = 240
"""The agent itself may take long to start on a machine that does other things."""
GOAL = "write a small web app with a test and run it"
LOOK = """
cd /proc/self; grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' status
echo interfaces: $(tail -n +3 net/dev | cut -d: -f1)
touch /etc/x 2>&1 | tail -n 1
ls /var/run/docker.sock 2>&1 | tail -n 1
unshare -Ur true 2>&1 | tail -n 1
ls /home /workspace
"""


@dataclass
class Site:
    """A running product with the docker driver, its owner, and the engine behind it."""

    product: Product
    client: Client
    engine: docker.DockerClient

    def containers(self, session: str, *, running: bool = True) -> dict[str, dict[str, Any]]:
        """What the engine says of the halves of a session's instance, by role."""
        wanted = {"label": [f"{PREFIX}volume={self.volume(session)}"]}
        found = self.engine.api.containers(all=not running, filters=wanted)
        return {one["Labels"][f"{PREFIX}role"]: self.engine.api.inspect_container(one["Id"]) for one in found}

    def volume(self, session: str) -> str:
        """The session's disk; at first it is named after the session."""
        return session


@pytest.fixture(scope="module")
def site(container_engine: docker.DockerClient, real_images: dict[str, str]) -> Iterator[Site]:
    with Provider(own_address()) as provider:
        settings = {
            "OPENAGENT_DRIVER": "docker",
            "OPENAGENT_DOCKER_SOCKET": str(needs.docker()),
            "OPENAGENT_PROVIDER_BASE_URLS": json.dumps({PROVIDER: provider.url}),
        }
        with running(**settings) as product:
            client = first_run(product.url, "admin", "write", "read")
            client.post("/keys/", {"provider": PROVIDER, "key": KEY})
            yield Site(product, client, container_engine)
            client.close()
            data = product.data.root
            product.stop()
            docker_host.clean_engine(container_engine, data)


def answered(client: Client, session: str, turn: str) -> bool:
    """Says yes to whatever is asked now; whether the turn has ended."""
    for asked in client.get(f"/permissions/?state=pending&session={session}")["results"]:
        client.answer(asked["id"], choice="once")
    found = client.turn(session, turn)
    return bool(found and found["status"] == "ended")


def test_the_main_job(site: Site) -> None:
    client = site.client
    session = client.new_session(mode="auto")
    turn = client.prompt(session, GOAL)
    ended = client.ended(session, turn, LONG)
    assert ended["stop_reason"] == "end_turn", ended
    assert texts(ended) == "".join(demo_model.expected(GOAL).messages)
    assert any("OK" in item["output"] for item in ended["items"] if item["type"] == "tool")
    halves = site.containers(session)
    assert set(halves) == {"sidecar", "box"}
    assert halves["box"]["HostConfig"]["NetworkMode"] == "none"

    # Asleep it costs nothing but its disk, which the next prompt finds as it was.
    client.post(f"/sessions/{session}/stop/")
    client.status(session, "asleep")
    eventually(lambda: not site.containers(session, running=False), 60, lambda: "containers are left")
    again = client.prompt(session, "/demo run cat test_app.py && pwd")
    output = next(item for item in client.ended(session, again, LONG)["items"] if item["type"] == "tool")
    assert "http.server" in output["output"] or "unittest" in output["output"], output
    assert "/workspace" in output["output"]
    check_replay(client, session)


def test_a_key_in_use_is_nowhere_on_the_engine_and_the_box_is_shut_in(site: Site) -> None:
    client = site.client
    session = client.new_session(provider=PROVIDER, model=MODEL)
    turn = client.prompt(session, f"/demo run {' ; '.join(LOOK.strip().splitlines())}")
    client.pending(session, LONG)
    halves = site.containers(session)
    # It asks for the command, and for leaving the workspace.
    eventually(lambda: answered(client, session, turn), LONG, lambda: "the turn does not end")
    ended = client.ended(session, turn)
    assert ended["stop_reason"] == "end_turn", ended
    output = next(item for item in ended["items"] if item["type"] == "tool")["output"]
    lines = dict(line.split(":", 1) for line in output.splitlines() if ":" in line)
    assert lines["CapEff"].strip() == lines["CapBnd"].strip() == "0" * 16
    assert (lines["NoNewPrivs"].strip(), lines["Seccomp"].strip()) == ("1", "2")
    assert lines["interfaces"].split() == ["lo"] and "10001" in lines["Uid"]
    assert "Read-only file system" in output and "No such file" in output
    assert "Operation not permitted" in output or "not permitted" in output
    for role, half in halves.items():
        shown = json.dumps(half) + site.engine.api.logs(half["Id"]).decode(errors="replace")
        assert KEY not in shown, role


def test_a_sidecar_that_is_killed_interrupts_the_turn_and_the_next_one_goes_on(site: Site) -> None:
    client = site.client
    session = client.new_session(mode="auto")
    made = client.prompt(session, "/demo work")
    assert client.ended(session, made, LONG)["stop_reason"] == "end_turn"
    turn = client.prompt(session, "/demo long 2000 20ms")
    eventually(lambda: (client.turn(session, turn) or {}).get("items"), 60, lambda: "it says nothing")
    os.kill(site.containers(session)["sidecar"]["State"]["Pid"], signal.SIGKILL)
    ended = client.ended(session, turn, LONG)
    assert ended["stop_reason"] == "interrupted"
    following = client.prompt(session, "/demo run cat hello.txt")
    output = next(item for item in client.ended(session, following, LONG)["items"] if item["type"] == "tool")
    assert "hello from the demo model" in output["output"]
    assert client.session(session)["instance"]["generation"] > 1
    check_replay(client, session)
