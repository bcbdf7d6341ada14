"""What is known of registries: read anew now and then, and not forgotten while somebody does not answer."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from pytest_django import Settings

from openagent.lib import registries as tools
from openagent.lib.registries import Findings, Registry
from sessions_app.models import EgressBounds, Session
from sessions_app.services import registries
from tests.sessions_app.services.test_egress import linked, told

INDEX = Registry("pip", "index.lan", "index.lan", 443, is_trusted=True)
FILES = Registry("pip", "index.lan", "files.lan", 443, is_trusted=True)
UUID = "0f3cf3a2-8a0c-4a7e-9a0d-2f1b3c4d5e6f"
NPM = Registry("npm", "npm.lan", "npm.lan", 443, is_trusted=True)


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> list[Findings]:
    """What is found, one after the other."""
    queue: list[Findings] = []
    monkeypatch.setattr(tools, "find", lambda wanted: queue.pop(0))
    return queue


def known() -> set[str]:
    return {each["host"] for each in EgressBounds.objects.get().registries}


def test_live_boxes_hear_of_them(session: Session, find: list[Findings]) -> None:
    instance = linked(session)
    find += [Findings([INDEX, FILES], [], set()), Findings([INDEX, FILES], [], set())]
    registries.learn()
    registries.learn()
    assert [data["trusted"] for data in told(instance)] == [["files.lan:443", "index.lan:443"]]
    bounds = EgressBounds.objects.get()
    assert [each["host"] for each in bounds.registries] == ["index.lan", "files.lan"]
    assert bounds.registries_at is not None


def test_what_does_not_answer_is_not_forgotten(db: None, find: list[Findings]) -> None:
    find += [
        Findings([INDEX, FILES, NPM], [], set()),
        Findings([INDEX, NPM], ["It does not answer."], {("pip", "index.lan")}),
        Findings([INDEX], ["npm does not answer when it is asked."], {("npm", ""), ("pip", "index.lan")}),
        Findings([INDEX], [], set()),
    ]
    seen = []
    for _ in range(4):
        registries.learn()
        seen.append(known())
    assert seen == [{"index.lan", "files.lan", "npm.lan"}] * 3 + [{"index.lan"}]


def test_sources_of_a_mirror_that_is_away_are_not_forgotten(db: None, find: list[Findings]) -> None:
    apt = Registry("apt", "deb.lan", "deb.lan", 80, True, "http://deb.lan/debian", sources=("Debian a main",))
    away = {("apt", "deb.lan")}
    find += [
        Findings([apt], [], set()),
        Findings([replace(apt, sources=("Debian b main",))], ["It does not answer."], away),
        Findings([replace(apt, sources=())], [], set()),
    ]
    told = []
    for _ in range(3):
        registries.learn()
        told.append(registries.environment().get("OPENAGENT_APT_SOURCES", "").splitlines())
    one, other = (f"Debian http://deb.lan/debian {release} main" for release in "ab")
    assert told == [[one], [other, one], []]


def test_who_does_not_answer_is_soon_asked_again(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [Findings([], [], {("pip", "")})] * 6 + [Findings([], [], set())] * 2
    asked: list[int] = []

    def find(wanted: list[str]) -> Findings:
        asked.append(this)
        return answers.pop(0)

    monkeypatch.setattr(tools, "find", find)
    for this in range(46):  # noqa: B007  (what is asked reads it)
        registries.learn_when_due()
    assert asked == [0, 1, 3, 7, 15, 25, 35, 45]


def test_another_index_takes_the_place_of_the_one_before(db: None, find: list[Findings]) -> None:
    other = Registry("pip", "other.lan", "other.lan", 443, is_trusted=True)
    find += [Findings([INDEX, FILES], [], set()), Findings([other], ["No."], {("pip", "other.lan")})]
    registries.learn()
    registries.learn()
    assert known() == {"other.lan"}
    assert EgressBounds.objects.get().registry_problems == ["No."]


def test_no_tool_is_asked_where_none_is_to_be(db: None, settings: Settings) -> None:
    settings.OPENAGENT_REGISTRIES_FROM = []
    registries.learn()
    assert known() == set()


def test_boxes_are_told_to_use_the_same(db: None, find: list[Findings]) -> None:
    assert registries.environment() == {}
    main = Registry("pip", "index.lan", "index.lan", 443, True, "https://index.lan/simple", is_default=True)
    more = Registry("pip", "more.lan", "more.lan", 80, True, "http://more.lan/simple")
    npm = Registry("npm", "npm.lan", "npm.lan", 443, True, "https://npm.lan/", is_default=True)
    scope = Registry("npm", "ours.lan", "ours.lan", 443, True, "https://ours.lan/")
    told = ("Debian bookworm main", "Debian bookworm-updates main check-date=no")
    apt = Registry("apt", "deb.lan", "deb.lan", 80, True, "http://deb.lan/debian", sources=told)
    find += [Findings([main, more, FILES, npm, scope, apt], [], set())]
    registries.learn()
    assert registries.environment() == {
        "OPENAGENT_APT_SOURCES": "Debian http://deb.lan/debian bookworm main\n"
        "Debian http://deb.lan/debian bookworm-updates main check-date=no",
        "PIP_INDEX_URL": "https://index.lan/simple",
        "PIP_EXTRA_INDEX_URL": "http://more.lan/simple",
        "NPM_CONFIG_REGISTRY": "https://npm.lan/",
    }


def test_what_an_earlier_version_found_is_told_only_if_it_is_plain(db: None) -> None:
    found = [asdict(replace(INDEX, address=f"https://index.lan/{path}")) for path in ("simple", UUID)]
    EgressBounds.objects.update_or_create(pk=1, defaults={"registries": found})
    assert registries.environment() == {"PIP_EXTRA_INDEX_URL": "https://index.lan/simple"}
