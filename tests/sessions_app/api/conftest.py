"""What tests of requests have in common that reach a session's workspace through the real relay."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from django.test import AsyncClient

from openagent.accounts.models import User
from sessions_app import relay
from sessions_app.models import Session
from tests.sessions_app.api.workspace_link import Workspace


@pytest.fixture
async def workspace(session: Session) -> AsyncIterator[Workspace]:
    relay.open_sockets()
    link = Workspace(session)
    relay.add_link(link)
    yield link
    relay.close_sockets()


@pytest.fixture
async def client(alice: User) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(alice)
    return client
