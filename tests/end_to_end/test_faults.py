"""Parts of the platform die or stand still while an agent speaks: nothing is lost, doubled or run again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sidecar import demo_model
from tests.end_to_end.client import eventually, texts
from tests.end_to_end.reader import Reader
from tests.end_to_end.rig import Rig
from tests.end_to_end.turns import check_answered, check_one_clean_turn, check_shown, kinds_of

SPEECH = "/demo long 200 40ms"
"""Eight seconds of numbered words, in which a gap or a repeat shows at once."""
LONG_SPEECH = "/demo long 400 40ms"
ENDLESS = "/demo long 9000 40ms"
"""Six minutes: what it is cut off by takes a quarter of a minute, on a slow machine some whole ones."""
CUTS = 20
SLACK = 2_000
"""Characters, of some seconds: what the model has said by the time that the turn is stopped."""


def under_way(rig: Rig) -> demo_model.Exchange:
    """The call in which the model speaks right now: as long as there is one, the turn is open."""
    calls = [call for call in rig.provider.exchanges if call.script == "long" and call.outcome == "open"]
    assert calls, "too late to prove anything"
    # One before it may be of a test that failed in the midst of it.
    return calls[-1]


def kill_web(rig: Rig) -> None:
    rig.kill("web")


def kill_web_twice(rig: Rig) -> None:
    """The second time as soon as it is there again, in the midst of its start."""
    first = rig.kill("web")
    eventually(lambda: rig.product.part("web") not in (None, first), 30, lambda: "web does not come back")
    under_way(rig)
    rig.kill("web")


def kill_redis(rig: Rig) -> None:
    rig.kill("redis")


def kill_worker_and_beat(rig: Rig) -> None:
    rig.kill("worker")
    rig.kill("beat")


def hold_redis(rig: Rig) -> None:
    with rig.stopped("redis", 10):
        pass


@pytest.mark.parametrize(
    ("fault", "speech"),
    [
        # The browser's tests kill it, too.
        pytest.param(kill_web, SPEECH, marks=pytest.mark.variant),
        (kill_web_twice, LONG_SPEECH),
        (kill_redis, SPEECH),
        (hold_redis, SPEECH),
        (kill_worker_and_beat, SPEECH),
    ],
)
def test_what_is_shown_and_stored_is_what_the_model_sent(
    broken: Rig, fault: Callable[[Rig], None], speech: str
) -> None:
    session = broken.session()
    with Reader(broken.client, session) as reader:
        turn = broken.client.prompt(session, speech)
        reader.wait_for_text(turn, 50)
        under_way(broken)
        fault(broken)
        check_one_clean_turn(broken.client, reader, session, speech, turn)


def test_a_link_that_is_cut_twenty_times_in_mid_stream_loses_and_repeats_nothing(broken: Rig) -> None:
    """The model speaks before, through and after each cut; as it has to outlast them, it is stopped then."""
    client, session = broken.client, broken.session()
    with Reader(client, session) as reader:
        turn = client.prompt(session, ENDLESS)
        reader.wait_for_text(turn, 20)
        for _ in range(CUTS):
            under_way(broken)
            broken.link.cut()
            # What it says from now on comes over the next connection of this session, or not at all.
            reader.wait_for_text(turn, len(under_way(broken).text) + 1, 30)
        call = under_way(broken)
        client.post(f"/sessions/{session}/interrupt/", {"turn": turn})
        reader.wait_for_event("turn.ended", turn)
        ended = client.ended(session, turn)
        check_shown(client, reader, session)
        assert not reader.log.complaints, reader.describe()
    assert ended["stop_reason"] == "cancelled", ended
    # What was shown last may be on its way still when the model's own side counts it.
    assert texts(ended) and demo_model.expected_text(ENDLESS).startswith(texts(ended))
    assert len(texts(ended)) >= len(call.text) - SLACK
    kinds = kinds_of(client, session, turn)
    assert kinds.count("turn.started") == kinds.count("turn.ended") == 1


def test_nothing_waits_for_a_redis_that_says_nothing(broken: Rig) -> None:
    """Turns begin and end as if it were there; only what is done in the background comes later."""
    client, session = broken.client, broken.session()
    with broken.stopped("redis", 0):
        for _ in range(2):
            check_answered(client, session, "/demo plain", client.prompt(session, "/demo plain"))
