"""What runs beside the sockets: who is missing is counted, from the first request on, and who is too many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from keys_app import services as keys
from keys_app.models import ProviderKey
from openagent.asgi import application
from openagent.lib.redact import Secret
from sessions_app import relay
from sessions_app.consumers import upkeep
from sessions_app.models import Instance, InstanceState, Session
from sessions_app.services import links
from sidecar.protocol import frames, sealing
from tests.sessions_app.conftest import make_instance, make_session
from tests.sessions_app.consumers.conftest import SECONDS, Browser, Sidecar, Socket, eventually

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
    # It was missed, too, if it took longer to come than a pass: until the pass that finds it there.
    await eventually(made.filter(linkless_passes=0).exists)


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
    assert (await request.receive_output(SECONDS))["status"] == 200
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


@pytest.mark.parametrize("action", ["delete", "replace"])
async def test_a_revoked_key_is_forgotten_although_the_wake_up_was_lost(
    monkeypatch: pytest.MonkeyPatch, sockets: list[Socket], session: Session, sidecar: Sidecar, action: str
) -> None:
    await upkeep.stop()
    monkeypatch.setattr(upkeep, "KEY_SECONDS", 0.05)
    monkeypatch.setattr(relay, "forget_key", lambda instance_ids, provider: None)
    public = sealing.to_text(X25519PrivateKey.generate().public_key().public_bytes_raw())
    await sync_to_async(Instance.objects.filter(pk=sidecar.instance.pk).update)(public_key=public)
    key = await sync_to_async(_sealed)(session, sidecar.instance)
    again = Sidecar(sidecar.instance)
    sockets.append(again)
    await again.hello(gen=1, last_seq=sidecar.seq, public_key=public)
    await sync_to_async(_revoke)(key, action)
    dropped, before = await again.until("key.drop")
    assert dropped["provider"] == "openai"
    assert "key.drop" not in [frame["type"] for frame in before]
    assert await sync_to_async(links.revoked_keys)([sidecar.instance.pk])
    # What was told is not told again, and a key that is sealed anew is no revoked one.
    if action == "replace":
        await sync_to_async(_seal)(sidecar.instance, nonce=b"2" * 16)
        assert not await sync_to_async(links.revoked_keys)([sidecar.instance.pk])
    assert not await sync_to_async(links.revoked_keys)([])


def _seal(instance: Instance, *, nonce: bytes) -> None:
    request = frames.KeyRequest(provider="openai", nonce=sealing.to_text(nonce))
    assert not links.seal_key(instance_id=instance.pk, request=request).error


def _sealed(session: Session, instance: Instance) -> ProviderKey:
    key = keys.create(owner_id=session.owner_id, provider="openai", value=Secret("sk-first-0123456789"))
    Session.objects.filter(pk=session.pk).update(provider="openai")
    _seal(instance, nonce=b"1" * 16)
    return key


def _revoke(key: ProviderKey, action: str) -> None:
    if action == "delete":
        keys.delete(key)
    else:
        keys.replace(key, value=Secret("sk-other-0123456789"))
