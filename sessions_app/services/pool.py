"""Instances made in advance: what they are made for, who may join, and how a session claims one.

Making and removing them is `pool_tending`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from keys_app import providers
from keys_app.models import ProviderKey
from sessions_app import jobs
from sessions_app.models import Instance, InstanceState, PoolMember, PoolState, Session
from sessions_app.services import agents
from sidecar.protocol import frames

STAGES = ("created", "sidecar", "box", "agent")
"""What a start has behind it when a member is claimed."""
WAITING_STATES = (PoolState.STARTING, PoolState.READY)


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """An accepted link of a member: the protocol version, and what its sidecar is to make ready."""

    version: int
    prepare: frames.AgentPrepare


def offers(agent: agents.Agent) -> list[frames.Offer]:
    """What sessions of this agent may choose here: whatever needs no key, or has one of somebody.

    Without models that are known in advance there is nothing to prepare.
    """
    with_keys = set(ProviderKey.objects.values_list("provider", flat=True).distinct())
    return [
        frames.Offer(provider=agent.provider(provider), models=[model.id for model in provider.models])
        for provider in providers.of_models()
        if agent.can_use(provider)
        and provider.models
        and (not provider.needs_key or provider.id in with_keys)
    ]


def claim(instance: Instance) -> bool:
    """Makes the waiting member that fits, if there is one, into this new instance of a new session.

    One delete decides who gets it. None fits a session that has a disk already, or whose repository comes
    before the agent.
    """
    session = instance.session
    if settings.OPENAGENT_STOPPING_FILE.exists():
        return False  # It would run on, or be killed at once: the next run makes it one.
    if session.repository_url or session.disk or session.generation > 1:
        return False
    if Instance.objects.filter(session=session).exists():
        return False
    waiting = PoolMember.objects.filter(
        state=PoolState.READY,
        agent=session.agent,
        driver=instance.driver,
        driver_ref__isnull=False,
        linkless_passes=0,
    )
    if providers.is_plan(session.provider):
        waiting = waiting.filter(link_version__gte=frames.LOGIN_VERSION)
    for member in waiting.order_by("ready_at"):
        if not _serves(member, session):
            continue
        taken, _ = waiting.filter(pk=member.pk).delete()
        if taken:
            _become(instance, member)
            transaction.on_commit(jobs.tend_pool)
            return True
    return False


def welcome(*, instance_id: uuid.UUID, public_key: str, version: int) -> Unclaimed | None:
    """The member that shows its token, if it is one. A second public key ends it, as it does instances.

    None for whoever is no member, or not any more: an instance, perhaps.
    """
    members = PoolMember.objects.filter(pk=instance_id, state__in=WAITING_STATES)
    member = members.first()
    if member is None:
        return None
    if not member.public_key and members.filter(public_key="").update(public_key=public_key):
        member.public_key = public_key
    if member.public_key != public_key or version < frames.PREPARE_VERSION:
        leave(member.pk)
        return None
    members.update(link_version=version, linkless_passes=0)
    wanted = [msgspec.convert(offer, frames.Offer) for offer in member.made_for["offers"]]
    return Unclaimed(version, frames.AgentPrepare(agent=member.agent, offers=wanted))


def on_prepared(*, instance_id: uuid.UUID) -> None:
    """Its agent answers: it can be claimed."""
    PoolMember.objects.filter(pk=instance_id, state=PoolState.STARTING).update(
        state=PoolState.READY, ready_at=timezone.now(), silent_passes=0
    )


def leave(member_id: uuid.UUID, *, failed: str = "") -> bool:
    """It cannot be claimed any more, and is removed next; `failed` says why. False when it was claimed."""
    waiting = PoolMember.objects.filter(pk=member_id, state__in=WAITING_STATES)
    state = PoolState.FAILED if failed else PoolState.LEAVING
    return bool(waiting.update(state=state, error_message=failed, silent_passes=0))


def count_absences(*, connected: Collection[uuid.UUID]) -> None:
    """One pass of whoever may serve sockets: members that are not connected cannot be claimed."""
    ready = PoolMember.objects.filter(state=PoolState.READY)
    for member_id, passes in list(ready.values_list("pk", "linkless_passes")):
        if member_id not in connected:
            ready.filter(pk=member_id).update(linkless_passes=F("linkless_passes") + 1)
        elif passes:
            ready.filter(pk=member_id).update(linkless_passes=0)


def lost_link(*, instance_id: uuid.UUID) -> None:
    """Nobody claims it until it is back."""
    PoolMember.objects.filter(pk=instance_id, linkless_passes=0).update(linkless_passes=1)


def _serves(member: PoolMember, session: Session) -> bool:
    return any(offer["provider"]["id"] == session.provider for offer in member.made_for["offers"])


def _become(instance: Instance, member: PoolMember) -> None:
    instance.pk = member.pk
    instance.state = InstanceState.STARTING
    instance.launched_at = timezone.now()
    instance.driver_ref = member.driver_ref
    instance.public_key = member.public_key
    instance.link_version = member.link_version
    Session.objects.filter(pk=instance.session_id).update(disk=member.volume)


def sizes() -> dict[str, int]:
    """How many members of each agent there should be."""
    wanted: dict[str, int] = settings.OPENAGENT_POOL
    return wanted
