"""Parts of the platform die or stand still while an agent speaks: nothing is lost, doubled or run again."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.end_to_end.client import eventually
from tests.end_to_end.reader import Reader
from tests.end_to_end.rig import Rig
from tests.end_to_end.turns import check_answered, check_one_clean_turn

SPEECH = "/demo long 150 40ms"
"""Six seconds of numbered words, in which a gap or a repeat shows at once."""


def kill_web(rig: Rig) -> None:
    rig.kill("web")


def kill_web_twice(rig: Rig) -> None:
    """The second time as soon as it is there again, in the midst of its start."""
    first = rig.kill("web")
    eventually(lambda: rig.product.part("web") not in (None, first), 30, lambda: "web does not come back")
    rig.kill("web")


def kill_redis(rig: Rig) -> None:
    rig.kill("redis")


def kill_worker_and_beat(rig: Rig) -> None:
    rig.kill("worker")
    rig.kill("beat")


def hold_redis(rig: Rig) -> None:
    with rig.stopped("redis", 10):
        pass


def cut_link_often(rig: Rig) -> None:
    for _ in range(20):
        before = rig.link.accepted
        rig.link.cut()
        deadline = time.monotonic() + 10
        while rig.link.accepted == before:
            assert time.monotonic() < deadline, "the sidecar does not come back"
            time.sleep(0.02)
        time.sleep(0.15)


@pytest.mark.parametrize(
    "fault", [kill_web, kill_web_twice, kill_redis, hold_redis, kill_worker_and_beat, cut_link_often]
)
def test_what_is_shown_and_stored_is_what_the_model_sent(broken: Rig, fault: Callable[[Rig], None]) -> None:
    session = broken.session()
    with Reader(broken.client, session) as reader:
        turn = broken.client.prompt(session, SPEECH)
        reader.wait_for_text(turn, 200)
        fault(broken)
        check_one_clean_turn(broken.client, reader, session, SPEECH, turn)


def test_nothing_waits_for_a_redis_that_says_nothing(broken: Rig) -> None:
    """Turns begin and end as if it were there; only what is done in the background comes later."""
    client, session = broken.client, broken.session()
    with broken.stopped("redis", 0):
        for _ in range(2):
            check_answered(client, session, "/demo plain", client.prompt(session, "/demo plain"))
