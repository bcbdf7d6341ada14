"""The container engine is killed at each step of create, claim, stop and resume; a minute later all is well.

It is an engine of these tests alone, in a network of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from openagent.lib import engine as engines
from sidecar import demo_model
from tests.container_product import ContainerProduct
from tests.docker_fixtures import BUILD_SECONDS
from tests.end_to_end.client import Client, eventually, first_run, texts
from tests.end_to_end.custom_agents import SLUGGISH, register_working
from tests.end_to_end.pool import wait_for_member
from tests.end_to_end.replay import check_replay
from tests.end_to_end.sites import ContainerSite
from tests.end_to_end.turns import check_answered, said
from tests.fakes.own_engine import OwnEngine, own_engine
from tests.product import data_directory

pytestmark = [pytest.mark.variant, pytest.mark.timeout(BUILD_SECONDS)]

HEALED_SECONDS = 60.0
"""After the engine is back."""
WORK, ASKED, SPEECH = "/demo work", "/demo run cat hello.txt", "/demo long 200 40ms"


@dataclass
class Scene:
    """A product on an engine that may be killed."""

    engine: OwnEngine
    product: ContainerProduct
    client: Client

    def instances(self) -> dict[str, dict[str, Any]]:
        """What the engine has: the process ids of each instance's halves, by role."""
        # What an earlier engine was connected by is of no use any more.
        with closing(self.engine.client()) as client:
            site = ContainerSite(client, self.product.data.root)
            return {name: site.processes(name) for name in site.volumes()}

    def is_made(self) -> bool:
        return any({"sidecar", "box"} <= halves.keys() for halves in self.instances().values())

    def has_called(self, session: str) -> bool:
        shown = self.client.session(session)["instance"]
        return bool(shown) and any(stage["name"] == "sidecar" for stage in shown["stages"])

    def has_flushed(self) -> bool:
        return not any("sidecar" in halves for halves in self.instances().values())

    def wait(self, is_so: Callable[[], object], seconds: float = 60) -> None:
        eventually(is_so, seconds, lambda: f"it does not come so far: {self.instances()}", longest=0.05)

    def break_engine(self) -> float:
        """Kills it and brings it back, as whoever looks after it does; when it was back."""
        self.engine.kill()
        self.engine.start()
        return time.monotonic()

    def put_to_sleep(self, session: str) -> None:
        self.client.post(f"/sessions/{session}/stop/")
        self.client.status(session, "asleep")
        self.wait(lambda: not self.instances())

    def check_answered_once(self, session: str, prompt: str, turn: str) -> None:
        """By the one instance that there is."""
        self.client.ended(session, turn)
        check_answered(self.client, session, prompt, turn)
        self.client.status(session, "ready")
        self.wait(lambda: list(self.instances()) == [self.client.session(session)["instance"]["id"]])
        check_replay(self.client, session)


@contextmanager
def scene_of(engine: OwnEngine, **environment: str) -> Iterator[Scene]:
    with data_directory() as data:
        product = ContainerProduct(data, socket=engine.socket, **environment)
        try:
            client = first_run(product.url, "admin", "write", "read")
            register_working(product.url)
            yield Scene(engine, product, client)
            client.close()
        finally:
            product.stop()
            product.clean_up()


@pytest.fixture(scope="module")
def engine(real_images: dict[str, str]) -> Iterator[OwnEngine]:
    known = engines.current()
    with own_engine([known.sidecar, known.box]) as made:
        yield made


@pytest.fixture(scope="module")
def scene(engine: OwnEngine) -> Iterator[Scene]:
    with scene_of(engine, OPENAGENT_POOL="none") as made:
        yield made


def at(scene: Scene, moment: str, session: str) -> None:
    """Returns at this moment of a start."""
    if moment == "made":
        scene.wait(scene.is_made)
    elif moment == "called":
        scene.wait(lambda: scene.has_called(session))


@pytest.mark.parametrize("moment", ["asked for", "made", "called"])
def test_a_new_session_is_answered_once(scene: Scene, moment: str) -> None:
    session = scene.client.new_session(agent=SLUGGISH, mode="auto")
    turn = scene.client.prompt(session, WORK)
    at(scene, moment, session)
    back_at = scene.break_engine()
    scene.check_answered_once(session, WORK, turn)
    assert time.monotonic() - back_at < HEALED_SECONDS
    scene.put_to_sleep(session)


@pytest.mark.parametrize("moment", ["asked for", "made", "called"])
def test_a_session_that_wakes_has_its_files_and_is_answered_once(scene: Scene, moment: str) -> None:
    session = scene.client.new_session(agent=SLUGGISH, mode="auto")
    scene.check_answered_once(session, WORK, scene.client.prompt(session, WORK))
    scene.put_to_sleep(session)
    turn = scene.client.prompt(session, ASKED)
    at(scene, moment, session)
    back_at = scene.break_engine()
    scene.check_answered_once(session, ASKED, turn)
    assert time.monotonic() - back_at < HEALED_SECONDS
    check_file(scene, session, turn)
    scene.put_to_sleep(session)


@pytest.mark.parametrize("moment", ["in a turn", "asked to end", "flushed"])
def test_what_was_journaled_and_written_is_there_when_it_wakes(scene: Scene, moment: str) -> None:
    session = scene.client.new_session(agent=SLUGGISH, mode="auto")
    scene.check_answered_once(session, WORK, scene.client.prompt(session, WORK))
    turn = scene.client.prompt(session, SPEECH)
    scene.wait(lambda: scene.client.turn(session, turn) and len(said_in(scene, session, turn)) > 200)
    before = said_in(scene, session, turn)
    if moment != "in a turn":
        scene.client.post(f"/sessions/{session}/stop/")
    if moment == "flushed":
        scene.wait(scene.has_flushed)
    back_at = scene.break_engine()
    scene.client.status(session, "asleep")
    scene.wait(lambda: not scene.instances())
    assert time.monotonic() - back_at < HEALED_SECONDS
    following = scene.client.prompt(session, ASKED)
    scene.check_answered_once(session, ASKED, following)
    check_file(scene, session, following)
    stored = said_in(scene, session, turn)
    assert stored.startswith(before) and demo_model.expected_text(SPEECH).startswith(stored)
    assert scene.client.turn(session, turn)["stop_reason"] in ("interrupted", "cancelled")
    scene.put_to_sleep(session)


def said_in(scene: Scene, session: str, turn: str) -> str:
    return said(scene.client.events(session), turn)


def check_file(scene: Scene, session: str, turn: str) -> None:
    ended = scene.client.ended(session, turn)
    assert texts(ended) and "hello from the demo model" in ended["items"][-2]["output"], ended


@pytest.mark.parametrize("moment", ["waiting", "claimed"])
def test_a_member_of_the_pool_that_dies_with_the_engine_costs_nobody_their_prompt(
    engine: OwnEngine, moment: str
) -> None:
    with scene_of(engine, OPENAGENT_POOL="opencode=1") as scene:
        wait_for_member(scene.product.url)
        if moment == "waiting":
            scene.engine.kill()
        session = scene.client.new_session(mode="auto")
        turn = scene.client.prompt(session, WORK)
        if moment == "waiting":
            scene.engine.start()
            back_at = time.monotonic()
        else:
            back_at = scene.break_engine()
        ended = scene.client.ended(session, turn)
        if ended["stop_reason"] == "interrupted":
            # It had begun: it is never run again.
            turn = scene.client.prompt(session, WORK)
        check_answered(scene.client, session, WORK, turn)
        assert time.monotonic() - back_at < HEALED_SECONDS
        wait_for_member(scene.product.url)
        own = scene.client.session(session)["instance"]["id"]
        scene.wait(lambda: own in scene.instances() and len(scene.instances()) == 2)
        check_replay(scene.client, session)
