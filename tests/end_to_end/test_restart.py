"""The whole product is stopped or killed in mid-turn and started again on the same data directory."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from sidecar import demo_model
from tests import head_start, needs, ports
from tests.end_to_end.client import Client, eventually, first_run, texts
from tests.end_to_end.custom_agents import WORKING, register_working
from tests.end_to_end.instance import Instance
from tests.end_to_end.reader import Reader
from tests.end_to_end.replay import check_replay
from tests.end_to_end.turns import check_shown, kinds_of
from tests.product import Product, data_directory

SPEECH = "/demo long 9000 20ms"
STOP_SECONDS = 20.0
"""Fifteen are promised; the rest is for a slow machine that runs other tests too."""


@pytest.mark.timeout(600)
def test_a_product_that_ends_in_mid_turn_goes_on_where_it_was() -> None:
    """First it is stopped, then killed, in one session: each start of a product takes long."""
    needs.bubblewrap()
    with data_directory() as data:
        head_start.give(data)
        port = str(ports.free())
        product = Product(data, "--port", port, OPENAGENT_DRIVER="process")
        client = first_run(product.url)
        register_working(product.url)
        session = client.new_session(agent=WORKING, mode="auto")
        with Reader(client, session) as reader:
            made = client.prompt(session, "/demo work")
            try:
                for is_killed in (False, True):
                    turn = client.prompt(session, SPEECH)
                    waiting = client.prompt(session, "/demo run cat hello.txt")
                    reader.wait_for_text(turn, 200)
                    before = client.events(session)
                    instance = Instance(product, client, session)
                    may_be_lost = end(product, is_killed=is_killed)
                    product = Product(data, "--port", port, OPENAGENT_DRIVER="process")
                    assert product.url
                    check_log(client, session, made, turn, before)
                    # Nobody has to ask for it again.
                    reader.wait_for_event("turn.ended", waiting)
                    ended = client.ended(session, waiting)
                    output = "".join(item["output"] for item in ended["items"] if item["type"] == "tool")
                    assert ended["stop_reason"] == "end_turn" and "hello from the demo model" in output
                    assert not instance.folder.exists() and not instance.others()[1:]
                    # A stop loses no instance, not even one that a waiting prompt asks for meanwhile.
                    lost = reader.events("instance.lost")
                    assert lost if is_killed else may_be_lost or not lost
                following = client.prompt(session, "/demo plain")
                assert client.ended(session, following)["stop_reason"] == "end_turn"
                check_shown(client, reader, session)
                assert not reader.log.complaints, reader.describe()
                check_replay(client, session)
            finally:
                product.stop()
                client.close()


def end(product: Product, *, is_killed: bool) -> bool:
    """Nothing of it is left, whichever way. Whether it says that it may have cut instances off."""
    if is_killed:
        product.kill()
        # Its parts notice, and end by themselves.
        eventually(lambda: not product.processes(), 60, lambda: "parts are left")
        return True
    begin = time.monotonic()
    assert product.stop() == 0
    assert time.monotonic() - begin < STOP_SECONDS, product.output
    assert not product.processes()
    assert "Stopping...\n" in product.output and product.output.endswith("Stopped.\n")
    # On a slow machine; that it says so for no other reason has a test of its own.
    return "is read from their journals later" in product.output


def check_log(client: Client, session: str, made: str, turn: str, before: Sequence[object]) -> None:
    """All that was stored is still there, and the turn that ran is interrupted: told, and not run again."""
    interrupted = client.ended(session, turn)
    assert interrupted["stop_reason"] == "interrupted"
    said = texts(interrupted)
    assert said and demo_model.expected_text(SPEECH).startswith(said)
    assert client.turn(session, made)["stop_reason"] == "end_turn"
    stored = client.events(session)
    numbers = {event["seq"] for event in stored}
    assert kinds_of(client, session, turn).count("turn.started") == 1
    # Deltas may have been folded meanwhile; everything else has to be where it was.
    kept = [event for event in before if isinstance(event, dict) and not event["kind"].endswith("delta")]
    assert all(event["seq"] in numbers for event in kept)
