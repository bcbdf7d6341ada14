"""A new KEK in front: every key is wrapped anew while keys are used; what breaks that off is carried on."""

from __future__ import annotations

import io
import itertools
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from keys_app import keyring, rotation, services, tasks, vault
from keys_app.models import KeyAction, KeyUse, ProviderKey, Rewrapping
from openagent.accounts.models import User
from openagent.lib.redact import Secret
from sidecar.protocol import sealing
from tests.conftest import client_of
from tests.keys_app.conftest import CANARY
from tests.keys_app.test_services import SESSION


@pytest.fixture
def rotated(settings: LazySettings) -> str:
    """A new KEK stands in front of the old one."""
    new = keyring.generate()
    settings.OPENAGENT_KEYS_KEK = f"{new},{settings.OPENAGENT_KEYS_KEK}"
    return new


def make(owner: User, count: int) -> None:
    for number in range(count):
        services.create(owner_id=owner.pk, provider="mistral", value=Secret(f"word-{number:010}"))


def test_every_key_is_wrapped_and_the_old_kek_can_go(
    key: ProviderKey, bob: User, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "STEP", 2)
    make(bob, 4)
    new = keyring.generate()
    settings.OPENAGENT_KEYS_KEK = f"{new},{settings.OPENAGENT_KEYS_KEK}"
    steps: list[int] = []
    walk = rotation.carry_on(rotation.start(), told=lambda walk: steps.append(walk.wrapped))
    assert (walk.wrapped, walk.unreadable, walk.last_error) == (5, 0, "")
    assert walk.ended_at is not None and steps == [2, 4, 5]
    assert [(share.rows, share.is_first) for share in rotation.shares()] == [(5, True)]
    settings.OPENAGENT_KEYS_KEK = new
    assert vault.open_key(ProviderKey.objects.get(pk=key.pk)).reveal() == CANARY
    assert KeyUse.objects.filter(action=KeyAction.REWRAPPED).count() == 5
    assert rotation.carry_on(rotation.start()).wrapped == 0


def test_what_was_broken_off_is_carried_on_by_beat(
    bob: User, rotated: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = settings.OPENAGENT_KEYS_KEK.split(",")[1]
    settings.OPENAGENT_KEYS_KEK = old
    make(bob, 4)
    settings.OPENAGENT_KEYS_KEK = f"{rotated},{old}"
    monkeypatch.setattr(rotation, "STEP", 2)

    def die(walk: Rewrapping) -> None:
        raise KeyboardInterrupt

    walk = rotation.start()
    with pytest.raises(KeyboardInterrupt):
        rotation.carry_on(walk, told=die)
    assert [share.rows for share in rotation.shares()] == [2, 2]
    assert rotation.start() == walk, "the one that is open"
    tasks.rewrap()
    walk.refresh_from_db()
    assert walk.wrapped == 4 and walk.ended_at is not None


def test_a_process_with_another_kek_in_front_leaves_it_to_others(
    key: ProviderKey, rotated: str, settings: LazySettings
) -> None:
    walk = rotation.start()
    settings.OPENAGENT_KEYS_KEK = settings.OPENAGENT_KEYS_KEK.split(",")[1]
    rotation.carry_on_all()
    walk.refresh_from_db()
    assert walk.ended_at is None and "start it anew" in walk.last_error
    assert rotation.start() != walk
    walk.refresh_from_db()
    assert walk.ended_at is not None


def test_keys_that_cannot_be_read_are_counted_and_stop_nobody_else(
    key: ProviderKey, bob: User, settings: LazySettings
) -> None:
    make(bob, 1)
    ProviderKey.objects.filter(pk=key.pk).update(owner=bob)
    settings.OPENAGENT_KEYS_KEK = f"{keyring.generate()},{settings.OPENAGENT_KEYS_KEK}"
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 keys cannot be read"):
        call_command("rewrap_keys", stdout=out)
    assert "1 wrapped, 1 left" in out.getvalue()
    walk = Rewrapping.objects.get()
    assert (walk.wrapped, walk.unreadable, walk.last_error) == (1, 1, f"{key.pk}: changed")


def test_a_stolen_database_opens_nothing_without_the_kek(key: ProviderKey, settings: LazySettings) -> None:
    stolen = ProviderKey.objects.get()
    settings.OPENAGENT_KEYS_KEK = keyring.generate()
    with pytest.raises(services.KeyUnreadable):
        vault.open_key(stolen)
    # Not by one that says it is the right one, nor with any of what is in the row.
    for guess in (stolen.commitment, bytes(32)):
        settings.OPENAGENT_KEYS_KEK = bytes(guess).hex()
        ProviderKey.objects.update(kek_id=keyring.current().first.id)
        with pytest.raises(services.KeyUnreadable):
            vault.open_key(ProviderKey.objects.get())


@pytest.mark.django_db(transaction=True)
def test_nobody_who_uses_keys_meanwhile_notices(alice: User, settings: LazySettings) -> None:
    make(alice, 30)
    old, new = settings.OPENAGENT_KEYS_KEK, keyring.generate()
    settings.OPENAGENT_KEYS_KEK = f"{new},{old}"
    names = list(ProviderKey.objects.values_list("pk", flat=True))
    is_over, begun = threading.Event(), threading.Barrier(3)
    public = sealing.to_text(X25519PrivateKey.generate().public_key().public_bytes_raw())

    def busy(replaces: bool) -> int:
        begun.wait(30)
        calls = 0
        try:
            for name in itertools.cycle(names):
                if replaces:
                    row = ProviderKey.objects.get(pk=name)
                    services.replace(row, value=Secret(f"again-{calls:010}"))
                nonce = sealing.to_text(os.urandom(16))
                services.seal_for(
                    key_id=name, session_id=SESSION, generation=1, public_key=public, nonce=nonce
                )
                calls += 1
                if is_over.is_set():
                    return calls
        finally:
            connection.close()
        return calls

    with ThreadPoolExecutor() as pool:
        users = [pool.submit(busy, replaces) for replaces in (True, False)]
        begun.wait(30)
        try:
            walk = rotation.carry_on(rotation.start())
        finally:
            is_over.set()
        assert all(user.result(30) > 0 for user in users)
    assert walk.ended_at is not None and walk.unreadable == 0
    assert [share.rows for share in rotation.shares()] == [30]
    settings.OPENAGENT_KEYS_KEK = new
    assert {vault.open_key(row).reveal()[:5] for row in ProviderKey.objects.all()} <= {"word-", "again"}


def test_the_admin_starts_it_and_shows_how_far_it_is(
    admin: User,
    key: ProviderKey,
    rotated: str,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr(tasks.rewrap, "delay", tasks.rewrap)
    client = client_of(admin)
    add = reverse("admin:keys_app_rewrapping_add")
    assert "1 (to be wrapped anew)" in client.get(add).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(add, {}, format="multipart").status_code == 302
    walk = Rewrapping.objects.get()
    assert (walk.started_by, walk.wrapped) == (admin, 1)
    page = client.get(reverse("admin:keys_app_rewrapping_change", args=[walk.pk])).content.decode()
    assert f"{walk.kek_id}: 1 (the first)" in page
    assert client_of(key.owner).get(add).status_code == 302
