"""Parts, halves and engine objects are killed at each step of a start and of a stop; a minute heals it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sidecar import demo_model
from tests.end_to_end import sites
from tests.end_to_end.client import eventually, texts
from tests.end_to_end.custom_agents import SLUGGISH
from tests.end_to_end.instance import Instance
from tests.end_to_end.rig import Rig
from tests.end_to_end.turns import check_answered, said

ASKED = "/demo run cat hello.txt"
SPEECH = "/demo long 5000 40ms"
"""Longer than anything here takes: it is cut off."""
HEALED_SECONDS = 60.0


@dataclass
class Scene:
    """A session in which a file was written, and what its host has of it."""

    rig: Rig
    session: str

    @property
    def site(self) -> sites.Site:
        return sites.of(self.rig.product)

    @property
    def instance(self) -> Any:
        """What the API says of the newest one; None when there is none."""
        return self.rig.client.session(self.session)["instance"]

    def ids(self) -> list[str]:
        """The instances of the session that its host has."""
        return [instance for instance, volume in self.site.volumes().items() if volume == self.session]

    def kill(self, victim: str, known: Instance | None = None) -> None:
        """The `known` instance may be quicker and end by itself."""
        if victim == "web":
            self.rig.kill("web")
        elif victim == "maker":
            self.rig.kill(self.rig.product.maker)
        elif victim == "objects":
            for instance in self.ids():
                self.site.destroy(instance)
        elif known is None:
            Instance(self.rig.product, self.rig.client, self.session).kill(victim)
        else:
            with contextlib.suppress(ProcessLookupError):
                known.kill(victim)

    def wait(self, is_so: Callable[[], object]) -> None:
        eventually(is_so, 60, lambda: f"it does not come so far: {self.instance}", longest=0.05)

    def is_made(self) -> bool:
        return any({"sidecar", "box"} <= self.site.processes(each).keys() for each in self.ids())

    def has_called(self) -> bool:
        shown = self.instance
        return bool(shown) and any(stage["name"] == "sidecar" for stage in shown["stages"])

    def has_flushed(self) -> bool:
        """The sidecar has ended, but somebody still has to clean up, if nobody was very quick."""
        return not any("sidecar" in self.site.processes(each) for each in self.ids())


@pytest.fixture
def scene(broken: Rig) -> Scene:
    """Awake, and its work is done."""
    session = broken.session(SLUGGISH)
    ended = broken.client.ended(session, broken.client.prompt(session, "/demo work"))
    assert ended["stop_reason"] == "end_turn", ended
    return Scene(broken, session)


PARTS, HALVES = ("web", "maker"), ("sidecar", "box", "objects")
STARTS: dict[str, Callable[[Scene], object] | None] = {
    "asked for": None,
    "made": Scene.is_made,
    "called": Scene.has_called,
}
STOPS: dict[str, Callable[[Scene], object] | None] = {"asked to end": None, "flushed": Scene.has_flushed}


@pytest.mark.variant
@pytest.mark.parametrize(
    ("moment", "victim"),
    [
        *(("asked for", victim) for victim in PARTS),
        *((moment, victim) for moment in ("made", "called") for victim in (*PARTS, *HALVES)),
    ],
)
def test_a_prompt_that_wakes_is_answered_once_whatever_is_killed(
    scene: Scene, moment: str, victim: str
) -> None:
    client, session = scene.rig.client, scene.session
    put_to_sleep(scene)
    turn = client.prompt(session, ASKED)
    if is_so := STARTS[moment]:
        scene.wait(lambda: is_so(scene))
    scene.kill(victim)
    killed_at = time.monotonic()
    check_goes_on(scene, turn)
    assert time.monotonic() - killed_at < HEALED_SECONDS


@pytest.mark.parametrize(
    ("moment", "victim"),
    [
        pytest.param("asked to end", "sidecar"),
        *(
            pytest.param("asked to end", victim, marks=pytest.mark.variant)
            for victim in (*PARTS, "box", "objects")
        ),
        *(pytest.param("flushed", victim, marks=pytest.mark.variant) for victim in PARTS),
    ],
)
def test_a_session_that_is_put_to_sleep_in_mid_turn_loses_nothing_whatever_is_killed(
    scene: Scene, moment: str, victim: str
) -> None:
    client, session = scene.rig.client, scene.session
    turn = client.prompt(session, SPEECH)
    instance = Instance(scene.rig.product, client, session)
    eventually(lambda: len(said(instance.journaled(), turn)) > 200, 60, lambda: "it says nothing")
    journaled = said(instance.journaled(), turn)
    client.post(f"/sessions/{session}/stop/")
    if is_so := STOPS[moment]:
        scene.wait(lambda: is_so(scene))
    scene.kill(victim, instance)
    killed_at = time.monotonic()
    client.status(session, "asleep")
    eventually(lambda: not scene.ids(), 60, lambda: f"they are left: {scene.ids()}")
    assert time.monotonic() - killed_at < HEALED_SECONDS
    check_goes_on(scene, client.prompt(session, ASKED))
    stored = said(client.events(session), turn)
    assert stored.startswith(journaled) and demo_model.expected_text(SPEECH).startswith(stored)
    assert client.turn(session, turn)["stop_reason"] in ("interrupted", "cancelled")


def put_to_sleep(scene: Scene) -> None:
    scene.rig.client.post(f"/sessions/{scene.session}/stop/")
    scene.rig.client.status(scene.session, "asleep")
    eventually(lambda: not scene.ids(), 60, lambda: f"they are left: {scene.ids()}")


def check_goes_on(scene: Scene, turn: str) -> None:
    """Answered once, with the file that was written, by the one instance that there is."""
    client, session = scene.rig.client, scene.session
    client.ended(session, turn)
    check_answered(client, session, ASKED, turn)
    ended = client.ended(session, turn)
    assert texts(ended) and "hello from the demo model" in ended["items"][-2]["output"], ended
    client.status(session, "ready")
    eventually(lambda: scene.ids() == [scene.instance["id"]], 60, lambda: f"more are left: {scene.ids()}")
