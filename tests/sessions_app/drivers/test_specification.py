"""Nothing that anybody types gets into what the engine is told of an instance's containers."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from openagent.accounts.models import User
from openagent.lib import own_addresses
from openagent.lib.engine import EngineSettings
from sessions_app import drivers
from sessions_app.drivers import docker_spec
from sessions_app.drivers.base import InstanceSpec
from sessions_app.drivers.docker_disks import Disks
from sessions_app.drivers.docker_engine import Engine
from sessions_app.drivers.docker_launch import Launch
from sessions_app.drivers.docker_options import Options
from sessions_app.drivers.docker_spec import Names
from sessions_app.drivers.limits import Limits
from sessions_app.models import CustomAgent, Mode, Session
from sessions_app.services import agents, instances
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import make_prompt, make_terminal

INSTALLATION = "0a1b2c3d"
NAMED_ADDRESS = "203.0.113.7"
BUILT_IN = [agent.id for agent in agents._BUILT_IN]


@dataclass
class Recorder:
    """An engine, its API and its disks: makes nothing, and remembers everything that it is told."""

    told: list[Any] = field(default_factory=list)
    input: bytes = b""

    cpus = 8

    @property
    def api(self) -> Recorder:
        return self

    def image(self, role: str) -> dict[str, Any]:
        labels = {"org.openagent.agents": ",".join(BUILT_IN)}
        return {"Id": f"sha256:{role}", "Config": {"Labels": labels}}

    def check_runtime(self, name: str) -> None:
        pass

    def prepare(self, volume: str) -> list[dict[str, Any]]:
        self.told.append(["disk", volume])
        return docker_spec.disk_volumes(INSTALLATION, volume)

    @contextlib.contextmanager
    def input_of(self, container: str) -> Iterator[Recorder]:
        self.told.append(["input", container])
        yield self

    def sendall(self, content: bytes) -> None:
        self.input += content

    def __getattr__(self, call: str) -> Any:
        """The rest of the API."""
        return lambda *values, **named: self.told.append([call, *values, named])


def told(spec: InstanceSpec, data: Path) -> tuple[str, dict[str, Any]]:
    """What the engine is told for it, and what its sidecar; with this instance's own names replaced."""
    recorder = Recorder()
    engine = EngineSettings(socket=data / "engine.sock", sidecar="sidecar", box="box")
    Launch(
        engine=cast(Engine, recorder),
        options=Options(
            data=data,
            engine=engine,
            limits=Limits(memory_mb=1, processes=1, tmp_mb=1, file_mb=1),
            host_addresses=frozenset({NAMED_ADDRESS}),
        ),
        disks=cast(Disks, recorder),
        on_stage=lambda _: None,
        names=Names(installation=INSTALLATION, instance_id=spec.instance_id, volume=spec.volume),
        spec=spec,
    ).run()
    own = {spec.instance_id: "INSTANCE", spec.volume: "VOLUME", spec.token: "TOKEN"}
    both = [json.dumps(recorder.told, sort_keys=True), recorder.input.decode()]
    for name, stands_for in own.items():
        both = [text.replace(name, stands_for) for text in both]
    return both[0], json.loads(both[1])


@pytest.fixture
def driver(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeDriver]:
    """Takes the specifications of instances, and makes nothing of them."""
    monkeypatch.setitem(drivers.DRIVERS, "fake", "tests.fakes.driver.FakeDriver")
    settings.OPENAGENT_DRIVER = "fake"
    settings.OPENAGENT_LINK_SOCKET = tmp_path / "link.sock"
    settings.OPENAGENT_STOPPING_FILE = tmp_path / "stopping"
    yield cast(FakeDriver, drivers.get_driver())
    drivers.forget()


@pytest.fixture
def addresses_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever networks come and go on this host meanwhile."""
    found = own_addresses.of_interfaces()
    monkeypatch.setattr(own_addresses, "of_interfaces", lambda: found)


def spec_of(session: Session, driver: FakeDriver) -> InstanceSpec:
    """From its rows to what a driver is given."""
    made = instances.wake(session_id=session.pk)
    assert made is not None
    instances.launch(instance_id=made.pk)
    return driver.instances[str(made.pk)].spec


_HOSTILE = st.sampled_from(
    ["../../etc", '","Privileged":true,"', "--privileged", "$(id)", "/var/run/docker.sock", "a\nb", "\x00"]
)
# What a database cannot hold gets no further than to it.
_TEXTS = st.one_of(_HOSTILE, st.text(max_size=40)).map(
    lambda text: text.replace("\x00", "").encode("utf-8", "ignore").decode()
)
_SLUGS = st.from_regex(r"\A[a-z][a-z0-9-]{0,39}\Z")


@dataclass(frozen=True)
class Wish:
    """What people have typed: for a session, a prompt, a terminal, an account, an agent of their own."""

    agent: str = BUILT_IN[0]
    is_registered: bool = False
    session: dict[str, str] = field(default_factory=dict)
    said: str = "Hello"
    argv: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


_WISHES = st.builds(
    Wish,
    agent=st.one_of(st.sampled_from(BUILT_IN), _SLUGS, _TEXTS.map(lambda text: text[:40])),
    is_registered=st.booleans(),
    session=st.fixed_dictionaries({"title": _TEXTS, "model": _TEXTS, "mode": st.sampled_from(Mode.values)}),
    said=_TEXTS,
    argv=st.lists(_TEXTS, max_size=4),
    environment=st.dictionaries(_TEXTS, _TEXTS, max_size=4),
)


def wished(owner: User, wish: Wish) -> Session:
    """Rows with all of it, also with what no form would have let through."""
    owner.display_name = wish.said[:80]
    owner.save()
    if wish.is_registered:
        values = {"name": wish.said[:80], "command": wish.argv, "environment": wish.environment}
        CustomAgent.objects.update_or_create(slug=wish.agent, defaults={**values, "wires": []})
    fields = {"model": "demo", **wish.session}
    session = Session.objects.create(id=uuid.uuid4(), owner=owner, agent=wish.agent, **fields)
    make_prompt(session, text=wish.said)
    make_terminal(session, title=wish.said[:80])
    return session


def test_a_sidecar_is_told_the_addresses_that_the_administrator_named(
    alice: User, driver: FakeDriver, tmp_path: Path
) -> None:
    _, config = told(spec_of(wished(alice, Wish()), driver), tmp_path)
    assert {NAMED_ADDRESS, "127.0.0.1"} <= set(config["host_addresses"])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wish=_WISHES)
def test_nothing_that_is_typed_changes_the_containers(
    alice: User, driver: FakeDriver, tmp_path: Path, addresses_at_rest: None, wish: Wish
) -> None:
    # Of the example before, which would take the places of these.
    Session.objects.all().delete()
    containers, config = told(spec_of(wished(alice, Wish()), driver), tmp_path)
    assert "Privileged" in containers and config["agent"] == BUILT_IN[0]
    assert told(spec_of(wished(alice, wish), driver), tmp_path) == (
        containers,
        # Only the name of an agent that the image has: what others are, their sidecar is told on the link.
        {**config, "agent": wish.agent if wish.agent in BUILT_IN else ""},
    )
