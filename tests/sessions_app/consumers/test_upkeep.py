"""What runs beside the sockets: who is missing is counted, from the first request on, and who is too many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from openagent.asgi import application
from sessions_app.consumers import upkeep
from sessions_app.models import Instance, InstanceState, Session
from tests.sessions_app.conftest import make_instance, make_session
from tests.sessions_app.consumers.conftest import Browser, Sidecar, Socket, eventually

pytestmark = pytest.mark.django_db(transaction=True)


async def test_whoever_has_no_link_is_missed_and_whoever_has_one_is_not(
    monkeypatch: pytest.MonkeyPatch, sockets: list[Socket], session: Session, sidecar: Sidecar
) -> None:
    made = Instance.objects.filter(pk=sidecar.instance.pk)
    await sync_to_async(made.update)(driver_ref={})
    missing = await sync_to_async(_missing)(session)
    await upkeep.stop()
    monkeypatch.setattr(upkeep, "ABSENCE_SECONDS", 0.05)
    again = Sidecar(sidecar.instance)
    sockets.append(again)
    await again.hello(gen=1, last_seq=sidecar.seq)
    await eventually(lambda: Instance.objects.get(pk=missing.pk).linkless_passes > 3)
    assert (await sync_to_async(made.get)()).linkless_passes == 0


def _missing(session: Session) -> Instance:
    return make_instance(make_session(session.owner), InstanceState.READY, driver_ref={})


async def test_it_begins_with_the_first_request_even_if_no_socket_ever_comes(
    monkeypatch: pytest.MonkeyPatch, sockets: list[Socket], session: Session
) -> None:
    monkeypatch.setattr(upkeep, "ABSENCE_SECONDS", 0.05)
    missing = await sync_to_async(_missing)(session)
    scope = {
        **{"type": "http", "method": "GET", "path": "/healthz", "raw_path": b"/healthz", "query_string": b""},
        **{"headers": [(b"host", b"localhost")], "http_version": "1.1", "scheme": "http"},
    }
    communicator: Any = ApplicationCommunicator  # untyped
    request = communicator(application, scope)
    await request.send_input({"type": "http.request", "body": b""})
    assert (await request.receive_output(10))["status"] == 200
    await eventually(lambda: Instance.objects.get(pk=missing.pk).linkless_passes > 0)


async def test_one_user_has_so_many_sockets(
    browser: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "MAX_SOCKETS", 1)
    first, second = browser(), browser()
    assert await first.connect()
    await first.until("live")
    assert await second.connect()
    assert await second.closed() == 4429
    await first.close()
    await eventually(lambda: not upkeep.viewers)
    third = browser()
    assert await third.connect()
    await third.until("live")
