"""Which sidecars are accepted, and what the others are told."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.utils import timezone

from keys_app import services as keys
from openagent.accounts.models import User
from openagent.lib.redact import Secret
from sessions_app.models import Instance, InstanceState, Session
from sessions_app.services import links, specs
from sidecar.protocol import frames, sealing
from tests.sessions_app.conftest import make_instance, make_key

KEY = base64.b64encode(b"k" * 32).decode()
OTHER_KEY = base64.b64encode(b"o" * 32).decode()


def hello(instance: Instance, /, **changes: Any) -> frames.Hello:
    values = {
        "versions": [1],
        "sidecar_version": "0.1.0",
        "instance": str(instance.pk),
        "token": specs.token_for(instance.pk),
        "public_key": KEY,
        "nonce": base64.b64encode(b"n" * 16).decode(),
    }
    return frames.Hello(**{**values, **changes})


def test_the_right_token_opens_the_link(session: Session, instance: Instance) -> None:
    grant = links.accept(hello(instance))
    assert isinstance(grant, links.Grant)
    assert (grant.session_id, grant.generation, grant.stored_seq, grant.version) == (session.pk, 1, 0, 1)


def test_the_same_key_may_come_again(instance: Instance) -> None:
    links.accept(hello(instance))
    again = links.accept(hello(instance))
    assert isinstance(again, links.Grant) and again.instance_id == instance.pk


def test_a_second_key_for_the_same_token_ends_the_instance(instance: Instance) -> None:
    links.accept(hello(instance))
    with pytest.raises(links.LinkRefused) as refusal:
        links.accept(hello(instance, public_key=OTHER_KEY))
    assert (refusal.value.code, refusal.value.final) == ("token_reused", True)
    instance.refresh_from_db()
    assert (instance.state, instance.error_code) == ("lost", "token_reused")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"token": "0" * 64}, "bad_token"),
        ({"token": ""}, "bad_token"),
        ({"token": "\N{SNOWMAN}"}, "bad_token"),
        ({"instance": "not a uuid"}, "bad_token"),
        ({"instance": "00000000-0000-0000-0000-000000000000"}, "bad_token"),
        ({"versions": [99]}, "version"),
        ({"versions": []}, "version"),
    ],
)
def test_anything_else_is_refused_for_good(instance: Instance, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(links.LinkRefused) as refusal:
        links.accept(hello(instance, **changes))
    assert (refusal.value.code, refusal.value.final) == (code, True)


def test_a_newer_sidecar_and_this_platform_find_a_common_version(instance: Instance) -> None:
    newest = max(frames.PROTOCOL_VERSIONS)
    assert links.accept(hello(instance, versions=[1, newest, newest + 1])).version == newest
    assert links.accept(hello(instance, versions=[1])).version == 1, "an older one still runs"


def test_an_instance_that_has_ended_is_refused(instance: Instance) -> None:
    Instance.objects.filter(pk=instance.pk).update(state="stopped")
    with pytest.raises(links.LinkRefused) as refusal:
        links.accept(hello(instance))
    assert refusal.value.code == "ended"


def test_no_key_is_sealed_where_the_session_has_none(instance: Instance) -> None:
    request = frames.KeyRequest(provider="openai", nonce=KEY)
    assert links.seal_key(instance_id=instance.pk, request=request).error == "key_missing"


@pytest.mark.parametrize("provider", ["claude-plan", "chatgpt-plan", "copilot-login"])
@pytest.mark.parametrize("is_ready", [False, True])
def test_a_sidecar_that_is_too_old_for_a_plan_is_ended_and_given_no_login(
    session: Session, *, provider: str, is_ready: bool
) -> None:
    Session.objects.filter(pk=session.pk).update(provider=provider)
    state, ready_at = ("ready", timezone.now()) if is_ready else ("starting", None)
    instance = make_instance(session, InstanceState(state), ready_at=ready_at)
    with pytest.raises(links.LinkRefused) as refusal:
        links.accept(hello(instance, versions=[1, frames.LOGIN_VERSION - 1]))
    assert (refusal.value.code, refusal.value.final) == ("sidecar_old", True)
    instance.refresh_from_db()
    assert (instance.state, instance.error_code) == ("lost" if is_ready else "failed", "sidecar_old")
    assert "start the session again" in instance.error_message


def test_a_login_is_sealed_for_no_link_that_does_not_know_what_it_is(
    session: Session, instance: Instance
) -> None:
    sidecar = X25519PrivateKey.generate()
    public_key = sealing.to_text(sidecar.public_key().public_bytes_raw())
    links.accept(hello(instance, public_key=public_key, versions=[1, frames.LOGIN_VERSION - 1]))
    make_key(session.owner, "claude-plan")
    Session.objects.filter(pk=session.pk).update(provider="claude-plan")
    request = frames.KeyRequest(provider="claude-plan", nonce=sealing.to_text(bytes(16)))
    answer = links.seal_key(instance_id=instance.pk, request=request)
    assert (answer.error, answer.sealed) == ("sidecar_old", "")
    links.accept(hello(instance, public_key=public_key, versions=[frames.LOGIN_VERSION]))
    assert links.seal_key(instance_id=instance.pk, request=request).sealed


@pytest.mark.parametrize("named", [True, False])
def test_the_session_s_key_or_else_the_owner_s_best_is_sealed(
    session: Session, instance: Instance, bob: User, *, named: bool
) -> None:
    sidecar = X25519PrivateKey.generate()
    links.accept(hello(instance, public_key=sealing.to_text(sidecar.public_key().public_bytes_raw())))
    made = [
        keys.create(owner_id=owner, provider="openai", value=Secret(value))
        for owner, value in [
            (session.owner_id, "sk-first-0123456789"),
            (session.owner_id, "sk-second-0123456789"),
            (bob.pk, "sk-bob-0123456789"),
        ]
    ]
    Session.objects.filter(pk=session.pk).update(provider="openai", key=made[0] if named else None)
    request = frames.KeyRequest(provider="openai", nonce=sealing.to_text(bytes(16)))
    answer = links.seal_key(instance_id=instance.pk, request=request)
    assert (answer.error, answer.nonce) == ("", request.nonce)
    info = sealing.info(
        session=str(session.pk), generation=instance.generation, provider="openai", nonce=bytes(16)
    )
    opened = sealing.open(sidecar, sealing.from_text(answer.sealed), info)
    assert opened == (b"sk-first-0123456789" if named else b"sk-second-0123456789")
    assert links.seal_key(instance_id=instance.pk, request=request).error == "cannot_seal"


def test_a_key_goes_to_its_own_address_only(session: Session, instance: Instance) -> None:
    sidecar = X25519PrivateKey.generate()
    links.accept(hello(instance, public_key=sealing.to_text(sidecar.public_key().public_bytes_raw())))
    here, there = "https://models.example.com/v1", "https://elsewhere.example.com/v1"
    key = keys.create(
        owner_id=session.owner_id, provider="compatible", value=Secret("any-word-0123"), base_url=here
    )
    Session.objects.filter(pk=session.pk).update(provider="compatible", key=key)

    def ask(base_url: str) -> str:
        request = frames.KeyRequest(
            provider="compatible", nonce=sealing.to_text(bytes(16)), base_url=base_url
        )
        return links.seal_key(instance_id=instance.pk, request=request).error

    assert (ask(there), ask("")) == ("key_moved", "key_moved")
    assert ask(here) == ""


def absences(instance: Instance) -> int:
    instance.refresh_from_db()
    return instance.linkless_passes


def test_absences_of_made_instances_are_counted_until_they_come(instance: Instance) -> None:
    links.count_absences(connected=[])
    assert absences(instance) == 0, "it is not made yet"
    Instance.objects.filter(pk=instance.pk).update(state="ready", driver_ref={})
    for _ in range(3):
        links.count_absences(connected=[])
    assert absences(instance) == 3
    links.accept(hello(instance))
    assert absences(instance) == 0


def test_a_process_without_links_loses_nobody_whose_link_another_one_has(instance: Instance) -> None:
    Instance.objects.filter(pk=instance.pk).update(state="ready", driver_ref={})
    for _ in range(3):
        links.count_absences(connected=[])
        links.count_absences(connected=[instance.pk])
    assert absences(instance) == 0


@pytest.mark.parametrize("state", ["stopping", "stopped", "lost", "failed"])
def test_whoever_ends_is_not_missed(instance: Instance, state: str) -> None:
    Instance.objects.filter(pk=instance.pk).update(state=state, driver_ref={})
    links.count_absences(connected=[])
    assert absences(instance) == 0
