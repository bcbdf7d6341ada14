"""What the sockets of this process did, as /metrics tells it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from sessions_app.models import Session
from sessions_app.services import instances
from tests.sessions_app.consumers.conftest import Browser, Sidecar, Socket

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def told() -> dict[str, float]:
    """Every number of /metrics by its name and labels."""
    lines = Client().get("/metrics").content.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(number) for name, number in pairs}


async def test_links_are_told_from_reconnects_and_events_are_counted_and_timed(
    sockets: list[Socket], session: Session
) -> None:
    instance = await sync_to_async(instances.wake)(session_id=session.pk)
    assert instance is not None
    before = await told()
    first, again = Sidecar(instance), Sidecar(instance)
    sockets += [first, again]
    await first.begin()
    between = await told()
    # It came back before there was any command that it could have heard.
    assert (await again.hello(gen=1, last_seq=first.seq, last_command=0))["type"] == "welcome"
    after = await told()

    def grown(name: str) -> tuple[float, float]:
        middle = between.get(name, 0)
        return middle - before.get(name, 0), after.get(name, 0) - middle

    assert grown('openagent_link_connects_total{kind="first"}') == (1, 0)
    assert grown('openagent_link_connects_total{kind="again"}') == (0, 1)
    for name in ("events_received_total", "events_stored_total", "event_ack_seconds_count"):
        assert grown(f"openagent_{name}") == (1, 0), name
    assert between["openagent_links"] - before["openagent_links"] == 1
    assert grown("openagent_event_store_seconds_sum")[0] > 0
    assert grown("openagent_event_ack_seconds_sum")[0] > 0


async def test_browsers_that_come_back_are_told_from_new_ones(
    browser: Callable[..., Browser], sidecar: Sidecar
) -> None:
    before = await told()
    for after in ("", "1.1"):
        window = browser(after)
        assert await window.connect()
        await window.until("live")
    now = await told()
    for kind in ("fresh", "resumed"):
        name = f'openagent_socket_connects_total{{kind="{kind}"}}'
        assert now[name] - before.get(name, 0) == 1
    assert now["openagent_viewers"] - before["openagent_viewers"] == 2
