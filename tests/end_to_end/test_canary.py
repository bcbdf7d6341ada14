"""A hostile agent hunts for everything that is not its own, from a real box, while its key is in use.

And the same hunt outside: whatever is stored, logged, answered, shown or left in an image has no key in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import needs, postgres
from tests.container_product import ContainerProduct
from tests.docker_fixtures import BUILD_SECONDS
from tests.end_to_end import hunting
from tests.end_to_end.client import SECONDS, Client, eventually, texts
from tests.end_to_end.custom_agents import WORKING
from tests.end_to_end.instance import Instance
from tests.end_to_end.rig import CHAT_MODEL, CHAT_PROVIDER, KEY, MODEL, OTHERS, PROVIDER, Rig, rig
from tests.fakes import dresses, hunter

REVOKED_SECONDS = 20.0
"""Much more than it takes, for a slow machine; the answer would go on for minutes."""
MORE = ("copilot", "claude", "codex", "gemini")
"""The agents that `make agents` installs."""
MODELS = {
    **OTHERS,
    "opencode": (PROVIDER, MODEL),
    "codex": (PROVIDER, MODEL),
    **dict.fromkeys((WORKING, "copilot"), (CHAT_PROVIDER, CHAT_MODEL)),
}
"""The provider of each agent, whose key it is not to see, and a model of it."""


def new_session(made: Rig, agent: str) -> str:
    provider, model = MODELS[agent]
    if agent in OTHERS:
        made.client.post("/keys/", {"provider": provider, "key": KEY})
    return made.client.new_session(agent=agent, provider=provider, model=model, mode="auto")


def with_a_transcript(client: Client, session: str) -> None:
    """A terminal in the box has shown its whole environment, and what it showed is kept."""
    asked = {"rows": 24, "cols": 80, "command": ["env"]}
    path = f"/sessions/{session}/terminals/{client.post(f'/sessions/{session}/terminals/', asked)['id']}/"
    eventually(lambda: client.get(path)["has_transcript"], SECONDS, lambda: str(client.get(path)))


def hunt(made: Rig, agent: str, *, beside: str = WORKING, is_thorough: bool = False) -> dict[str, Any]:
    """The whole hunt, inside and outside; what the hunter in the box reports of what depends on the box."""
    other_session = made.session(beside)
    client = made.client
    turn = client.prompt(
        other_session, f"/demo run printf {hunting.MARK} > mark.txt; sleep 0.1; cat mark.txt"
    )
    assert client.ended(other_session, turn)["stop_reason"] == "end_turn"
    session = new_session(made, agent)
    assert texts(client.ended(session, client.prompt(session, "/demo plain")))
    instance, other = (Instance(made.product, client, each) for each in (session, other_session))
    assert hunting.MARK in (other.workspace / "mark.txt").read_text()
    with_a_transcript(client, session)
    calls = len(made.provider.exchanges)
    report = hunting.hunt(made, session, instance, other, is_thorough=is_thorough)

    # The key was in use while the hunter looked, and the hunter does find what is there, in every form.
    assert {exchange.key for exchange in made.provider.exchanges[calls:]} == {KEY}
    found = set(report["found"]["decoy"])
    assert {f"file /workspace/planted/{name}" for name in dresses.FORMS} <= found, report
    assert "memory of our child" in found
    assert any(place.startswith("file /home/agent/") for place in found), "the agent remembers its prompt"
    assert not report["core_dumps"] or "core dump" in found
    assert report["bytes"] > 10_000_000 and report["processes"] >= 3

    assert report["found"]["key"] == report["found"]["mark"] == []
    assert (report["interfaces"], report["routes"]) == (["lo"], [])
    assert report["reached"] == [] and report["visible"] == []

    # Outside: not in a file, a row, a log, Redis or an answer. What was asked is, so the search works there.
    outside = hunting.look_outside(made, session)
    if isinstance(made.product, ContainerProduct):
        hunting.look_at_the_engine(made, outside)
    assert outside.found["key"] == []
    assert {"dump", "answers"} <= set(outside.found["prompt"])
    for half in ("sidecar", "box"):
        process = Path("/proc", str(instance.pids[half]))
        outside.search(half, iter([(process / "environ").read_bytes() + (process / "cmdline").read_bytes()]))
    assert outside.found["key"] == []
    return report


def test_a_hostile_agent_finds_no_key_no_way_out_and_nothing_of_others(broken: Rig) -> None:
    report = hunt(broken, WORKING)
    assert report["sockets"] in ([], ["/run/openagent/box.sock"])
    assert report["answers"] > 5, "the gate was asked"
    assert report["captured"], "it can read the traffic of an interface"


@pytest.mark.variant
@pytest.mark.timeout(BUILD_SECONDS)
@pytest.mark.parametrize(("agent", "is_thorough"), [("opencode", False), (WORKING, True)])
def test_the_same_with_opencode_and_through_all_that_can_be_read(
    broken: Rig, agent: str, is_thorough: bool
) -> None:
    assert hunt(broken, agent, is_thorough=is_thorough)["bytes"] > 100_000_000


@pytest.mark.variant
@pytest.mark.timeout(BUILD_SECONDS)
@pytest.mark.parametrize("agent", MORE)
def test_the_same_with_every_other_agent(broken: Rig, agent: str) -> None:
    needs.agent(agent)
    hunt(broken, agent)


@pytest.fixture
def rooted(real_images: dict[str, str]) -> Iterator[Rig]:
    """Boxes are containers with root in them, and the rows are in PostgreSQL."""
    with (
        postgres.server() as database,
        rig(ContainerProduct, DATABASE_URL=database, OPENAGENT_BOX_ROOT="1") as made,
    ):
        yield made


@pytest.fixture
def contained(real_images: dict[str, str]) -> Iterator[Rig]:
    with rig(ContainerProduct) as made:
        yield made


@pytest.mark.variant
@pytest.mark.timeout(BUILD_SECONDS)
def test_the_same_as_root_of_a_container_with_postgresql(rooted: Rig) -> None:
    assert hunt(rooted, "opencode", beside="opencode")["user"] == 0


@pytest.mark.variant
@pytest.mark.timeout(BUILD_SECONDS)
@pytest.mark.parametrize("agent", [WORKING, "opencode", *MORE])
def test_the_same_in_a_container(contained: Rig, agent: str) -> None:
    if agent in MORE:
        needs.agent(agent)
    assert hunt(contained, agent)["user"] != 0


@pytest.mark.parametrize("name", dresses.FORMS)
@pytest.mark.parametrize("cut", [1, 7, 4096])
def test_the_hunter_finds_a_key_in_every_form_however_it_is_read(name: str, cut: int) -> None:
    text = b"x" * 5000 + dresses.FORMS[name](KEY.encode()) + b"y" * 5000
    hunt = hunter.Hunt({"key": KEY, "another": "something-else-0123456789"})
    # The smallest pieces only around it: each is looked at with what came before.
    pieces = [text[:4990], *(text[at : at + cut] for at in range(4990, len(text), cut))]
    hunt.search("here", iter(pieces))
    assert hunt.found == {"key": ["here"], "another": []}


def test_a_deleted_key_ends_the_answer_that_it_pays_for(broken: Rig) -> None:
    client = broken.client
    key = client.post("/keys/", {"provider": CHAT_PROVIDER, "key": KEY, "label": "to be deleted"})["id"]
    session = client.new_session(
        agent=WORKING, provider=CHAT_PROVIDER, model=CHAT_MODEL, mode="auto", key=key
    )
    turn = client.prompt(session, "/demo long 3000 50ms")
    eventually(lambda: texts(client.turn(session, turn) or {"items": []}), SECONDS, lambda: "no answer")
    client.call("DELETE", f"/keys/{key}/")
    deleted = time.monotonic()
    ended = client.ended(session, turn)
    assert time.monotonic() - deleted < REVOKED_SECONDS
    assert ended["error"]["class"] == "key_missing", ended
