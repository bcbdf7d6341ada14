"""Every socket as a stranger, as nobody and as a disabled user; one that is missing here fails the test."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.urls.resolvers import RoutePattern

from openagent.accounts.models import User
from openagent.asgi import application
from sessions_app.consumers import upkeep
from sessions_app.consumers.routing import websocket_urlpatterns
from sessions_app.models import Session
from tests.sessions_app.conftest import make_terminal

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 30

USERS_SOCKETS = {
    "ws/sessions/<uuid:session_id>/": 4404,
    "ws/sessions/<uuid:session_id>/terminals/<uuid:terminal_id>/": 4404,
}
"""Each socket of users, and the code that a stranger's connection is closed with."""
SIDECARS_SOCKETS = {"ws/link/"}
"""Sockets that accept nobody who looks like a browser."""


def routes() -> set[str]:
    patterns = (entry.pattern for entry in websocket_urlpatterns)
    return {str(pattern) for pattern in patterns if isinstance(pattern, RoutePattern)}


def test_no_socket_is_missing_from_the_matrix() -> None:
    assert routes() == USERS_SOCKETS.keys() | SIDECARS_SOCKETS


def headers(user: User | None) -> list[tuple[bytes, bytes]]:
    sent = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
    if user is not None:
        client = Client()
        client.force_login(user)
        sent.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
    return sent


async def closed_with(path: str, sent: list[tuple[bytes, bytes]]) -> int | None:
    """The code; None when the handshake itself was refused."""
    communicator = WebsocketCommunicator(application, path, headers=sent)
    try:
        accepted, _ = await communicator.connect(timeout=SECONDS)
        if not accepted:
            return None
        await communicator.send_to(text_data='{"type":"ack","seq":0}')
        output = await communicator.receive_output(timeout=SECONDS)
        return int(output["code"]) if output["type"] == "websocket.close" else 0
    finally:
        await communicator.disconnect(timeout=SECONDS)
        await upkeep.stop()


@pytest.mark.parametrize("route", sorted(USERS_SOCKETS))
async def test_strangers_learn_nothing_of_a_users_socket(route: str, alice: User, charlie: User) -> None:
    session = await sync_to_async(Session.objects.create)(owner=alice, model="demo")
    terminal = await sync_to_async(make_terminal)(session)
    path = "/" + route.replace("<uuid:session_id>", str(session.pk))
    path = path.replace("<uuid:terminal_id>", str(terminal.pk)) + f"?client={terminal.pk}"
    assert await closed_with(path, await sync_to_async(headers)(charlie)) == USERS_SOCKETS[route]
    assert await closed_with(path, await sync_to_async(headers)(None)) == 4401
    disabled = await sync_to_async(headers)(alice)
    await sync_to_async(User.objects.filter(pk=alice.pk).update)(is_active=False)
    assert await closed_with(path, disabled) == 4401


@pytest.mark.parametrize("route", sorted(SIDECARS_SOCKETS))
async def test_browsers_are_refused_where_sidecars_connect(route: str, alice: User) -> None:
    assert await closed_with("/" + route, await sync_to_async(headers)(alice)) is None
    assert await closed_with("/" + route, [(b"host", b"localhost")]) == 4400


async def test_an_address_that_is_no_socket_is_gone(transactional_db: None) -> None:
    assert await closed_with("/ws/nothing/", [(b"host", b"localhost")]) == 4404
