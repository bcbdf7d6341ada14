"""Keys and what they pay for, in a product on PostgreSQL: counted, forgotten, and under a new KEK."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from keys_app import keyring
from tests import needs, postgres
from tests.end_to_end import test_budget
from tests.end_to_end.client import Client, eventually, first_run
from tests.end_to_end.custom_agents import WORKING, register_working
from tests.end_to_end.instance import Instance
from tests.end_to_end.rig import CHAT_MODEL, CHAT_PROVIDER, KEY, PROVIDER, Provider, Rig, rig
from tests.product import Product, data_directory

pytestmark = pytest.mark.variant

TEST_SECONDS = 900
FORGOTTEN_SECONDS = 90.0
IDLE_SECONDS = 330.0
KEYS, REPLACED = 90, 10
Platform = tuple[Product, Client]
PROMPTS = ("/demo work", "/demo cut", "/demo errorthen 1", "/demo error429 1 1s", "/demo plain")


@pytest.fixture(scope="module")
def stored() -> Iterator[Rig]:
    needs.opencode()
    needs.bubblewrap()
    with postgres.server() as database, rig(DATABASE_URL=database) as made:
        yield made


@pytest.mark.timeout(TEST_SECONDS)
def test_usage_is_what_the_provider_told_with_cuts_retries_and_parallel_turns(stored: Rig) -> None:
    client = stored.client
    sessions = [client.new_session(**stored.model, mode="auto") for _ in range(3)]
    before = len(stored.provider.exchanges)
    turns = [(session, client.prompt(session, prompt)) for prompt in PROMPTS for session in sessions]
    for session, turn in turns:
        client.ended(session, turn, 300)
    calls = stored.provider.exchanges[before:]
    whole = [call for call in calls if call.status == 200 and call.outcome == "done"]
    cut = [call for call in calls if call.outcome == "cut"]
    assert len(cut) >= 3 and [call for call in calls if call.status == 429]
    usages = {
        session: [event["data"] for event in client.events(session) if event["kind"] == "usage"]
        for session in sessions
    }
    told = [call for session in sessions for call in test_budget.counted(client, session)]
    assert sorted(told) == sorted(test_budget.provided(whole))
    assert sum(usage.get("estimated", False) for each in usages.values() for usage in each) == len(cut)
    # What REST says is the sum of what the log says, and it says what of it is estimated.
    for session in sessions:
        totals = client.get(f"/sessions/{session}/usage/")["totals"]
        for name in ("input", "output"):
            assert totals[name] == sum(usage[name] for usage in usages[session])
        assert totals["calls"] == len(usages[session])


@pytest.mark.timeout(TEST_SECONDS)
def test_a_shared_budget_is_passed_by_one_call_of_each_session_at_most(stored: Rig) -> None:
    key = stored.client.post("/keys/", {"provider": PROVIDER, "key": KEY, "label": "shared"})["id"]
    test_budget.check_shared(stored.client, stored.provider, key)
    stored.client.call("DELETE", f"/keys/{key}/")


@pytest.mark.timeout(TEST_SECONDS)
def test_a_key_is_forgotten_when_nobody_uses_it_or_the_link_is_gone_and_asked_for_again(
    stored: Rig,
) -> None:
    client = stored.client
    key = next(each["id"] for each in client.get("/keys/")["results"] if each["provider"] == CHAT_PROVIDER)
    session = stored.session(WORKING)
    instance = Instance(stored.product, client, session)
    answers(client, session)

    def forgotten(times: int) -> bool:
        return instance.log.count("key dropped") == times

    def check_asked_again() -> None:
        sealed = seals(client, key)
        answers(client, session)
        assert seals(client, key) == sealed + 1

    times = instance.log.count("key dropped")
    stored.link.hold()
    stored.link.cut()
    began = time.monotonic()
    eventually(lambda: forgotten(times + 1), FORGOTTEN_SECONDS, lambda: instance.log)
    assert time.monotonic() - began > 50
    stored.link.release()
    stored.link.cut()
    check_asked_again()
    eventually(lambda: forgotten(times + 2), IDLE_SECONDS, lambda: instance.log)
    check_asked_again()


def answers(client: Client, session: str) -> None:
    ended = client.ended(session, client.prompt(session, "/demo plain"))
    assert ended["stop_reason"] == "end_turn", ended


def seals(client: Client, key: str) -> int:
    """How often the key was sealed for a sidecar."""
    found, path = 0, f"/keys/{key}/uses/"
    while path:
        page = client.get(path)
        found += sum(use["action"] == "sealed" for use in page["results"])
        path = page["next"]
    return found


@contextmanager
def platform(data: Path, database: str, provider: Provider, keks: str, token: str = "") -> Iterator[Platform]:
    """The product on these rows with these KEKs, and its owner, who has the token or signs up."""
    urls = json.dumps({CHAT_PROVIDER: provider.url})
    settings = {"OPENAGENT_PROVIDER_BASE_URLS": urls, "OPENAGENT_LIVE_SESSIONS_PER_USER": "50"}
    product = Product(data, DATABASE_URL=database, OPENAGENT_KEYS_KEK=keks, **settings)
    try:
        client = Client(product.url, token) if token else first_run(product.url, "admin", "write", "read")
        yield product, client
        client.close()
    finally:
        product.stop()


@pytest.mark.timeout(TEST_SECONDS)
def test_a_new_kek_takes_over_while_keys_are_used_and_nothing_opens_without_it() -> None:
    needs.bubblewrap()
    old, new, another = (keyring.generate() for _ in range(3))
    with postgres.server() as database, data_directory() as data, Provider() as provider:
        with platform(data, database, provider, old) as (product, client):
            register_working(product.url)
            client.post("/keys/", {"provider": CHAT_PROVIDER, "key": KEY})
            given = [{"provider": "mistral", "key": f"word-{number:010}"} for number in range(KEYS)]
            keys = [client.post("/keys/", each)["id"] for each in given]
            token = client.token
        with platform(data, database, provider, f"{new},{old}", token) as (product, client):
            under_load(client, keys, partial(rewrap, product))
        with platform(data, database, provider, new, token) as (_, client):
            answers(client, session_of(client))
        with platform(data, database, provider, another, token) as (_, client):
            session = session_of(client)
            ended = client.ended(session, client.prompt(session, "/demo plain"))
            assert "can no longer be decrypted" in ended["error"]["message"], ended


def session_of(client: Client) -> str:
    return client.new_session(agent=WORKING, provider=CHAT_PROVIDER, model=CHAT_MODEL, mode="auto")


def rewrap(product: Product) -> None:
    said = product.manage("rewrap_keys")
    wrapped = re.search(r"^(\d+) keys wrapped", said, re.MULTILINE)
    assert wrapped and int(wrapped[1]) >= KEYS - REPLACED, said
    assert "0 keys wrapped" in product.manage("rewrap_keys")


def under_load(client: Client, keys: list[str], act: Callable[[], Any]) -> None:
    """`act` while turns run in a session, sessions begin and keys are replaced; none of them fails."""
    is_over, begun = threading.Event(), threading.Barrier(4)
    lasting = session_of(client)
    answers(client, lasting)

    def repeat(once: Callable[[int], Any]) -> int:
        begun.wait(60)
        count = 0
        while not (is_over.is_set() and count):
            once(count)
            count += 1
        return count

    def replace(number: int) -> None:
        path = f"/keys/{keys[number % REPLACED]}/"
        client.call("PUT", path, {"key": f"again-{number:010}"})

    with ThreadPoolExecutor() as pool:
        users = [
            pool.submit(repeat, replace),
            pool.submit(repeat, lambda _: answers(client, lasting)),
            pool.submit(repeat, lambda _: answers(client, session_of(client))),
        ]
        begun.wait(60)
        try:
            act()
        finally:
            is_over.set()
        assert all(user.result(120) for user in users)
