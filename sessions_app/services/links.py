"""Who may be on the other end of a link, what it is told first, and the keys it is given."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.db.models import F, Q

from keys_app import providers, revocation, uses
from keys_app import services as keys
from openagent.lib.errors import AppError
from sessions_app import relay
from sessions_app.models import Instance, InstanceState, Session
from sessions_app.services import instances, lifecycle, pool, repositories, specs
from sidecar.protocol import frames

_TOO_OLD = (
    "Its sidecar is older than this platform and knows no logins of plans: start the session again. "
    "If that does not help, your administrator has to update the sidecar (`make images`)."
)
PLATFORM_VERSION: str = settings.OPENAGENT_VERSION


class LinkRefused(AppError):
    """This sidecar has no business here; `final` tells it to end."""

    def __init__(self, code: str, message: str, *, final: bool) -> None:
        super().__init__(code, message, 403)
        self.final = final


@dataclass(frozen=True, slots=True)
class Grant:
    """An accepted link: whose it is, up to where its events are stored, and whether it is the first one."""

    instance_id: uuid.UUID
    session_id: uuid.UUID
    generation: int
    stored_seq: int
    version: int
    public_key: str
    is_first: bool


def accept(hello: frames.Hello) -> Grant | pool.Unclaimed:
    """Checks token, version and public key. LinkRefused otherwise.

    The first public key that shows the token is the instance's: the same may come again, another one means
    that the token leaked, which ends the instance.
    """
    version = max(set(hello.versions) & set(frames.PROTOCOL_VERSIONS), default=0)
    instance_id = _parse(hello.instance)
    if instance_id is None or not hmac.compare_digest(
        hello.token.encode(), specs.token_for(instance_id).encode()
    ):
        raise LinkRefused("bad_token", "The enrolment token does not fit the instance.", final=True)
    if not version:
        known = ", ".join(map(str, frames.PROTOCOL_VERSIONS))
        raise LinkRefused(
            "version", f"This platform speaks link version {known}: update the sidecar.", final=True
        )
    # The pool first: one that is claimed in between is an instance then.
    unclaimed = pool.welcome(instance_id=instance_id, public_key=hello.public_key, version=version)
    if unclaimed is not None:
        return unclaimed
    nameless = Instance.objects.filter(pk=instance_id, public_key="")
    is_first = bool(nameless.update(public_key=hello.public_key))
    instance = Instance.objects.filter(pk=instance_id).select_related("session").first()
    if instance is None or not instance.is_live:
        raise LinkRefused("ended", "This instance has ended.", final=True)
    if instance.public_key != hello.public_key:
        lifecycle.lose(
            instance_id=instance_id,
            reason="token_reused",
            message="A second sidecar showed this instance's token. The instance was ended to be safe.",
        )
        raise LinkRefused("token_reused", "Another sidecar uses this token.", final=True)
    _require_recent(instance, version)
    Instance.objects.filter(pk=instance_id).exclude(linkless_passes=0).update(linkless_passes=0)
    Instance.objects.filter(pk=instance.pk).exclude(link_version=version).update(link_version=version)
    return Grant(
        instance_id=instance.pk,
        session_id=instance.session_id,
        generation=instance.generation,
        stored_seq=instance_stored(instance),
        version=version,
        public_key=instance.public_key,
        is_first=is_first,
    )


def _require_recent(instance: Instance, version: int) -> None:
    """Ends the instance, with a LinkRefused, if its sidecar knows nothing of what its session works with."""
    if _may_have_key(version, instance.session.provider):
        return
    instances.fail(instance_id=instance.pk, code="sidecar_old", message=_TOO_OLD)
    # One that is ready already, which it should not have become.
    lifecycle.lose(instance_id=instance.pk, reason="sidecar_old", message=_TOO_OLD)
    raise LinkRefused("sidecar_old", _TOO_OLD, final=True)


def count_absences(*, connected: Collection[uuid.UUID]) -> None:
    """One pass of a process that may serve sockets: who is made and not connected was missed once more.

    The count is a row, so it outlives this process. It begins anew with each pass of whoever has the link:
    another web process, which never sees one, must not take all instances for lost.
    """
    pool.count_absences(connected=connected)
    made = Instance.objects.filter(
        state__in=(InstanceState.STARTING, InstanceState.READY), driver_ref__isnull=False
    )
    back = made.filter(pk__in=connected).exclude(linkless_passes=0)
    # One by one: who changes many rows at once may wait for somebody who waits for them.
    for instance_id in list(back.values_list("pk", flat=True)):
        made.filter(pk=instance_id).update(linkless_passes=0)
    for instance_id in list(made.exclude(pk__in=connected).values_list("pk", flat=True)):
        made.filter(pk=instance_id).update(linkless_passes=F("linkless_passes") + 1)


def instance_stored(instance: Instance) -> int:
    """The last number of this generation that the log holds; 0 before the instance has numbers."""
    if not instance.first_seq:
        return 0
    return int(instance.session.last_seq)


def seal_key(*, instance_id: uuid.UUID, request: frames.KeyRequest) -> frames.Key:
    """The key for this provider that the session names, or its owner's best, sealed to this sidecar.

    For the host of its repository it is a token. An error code when there is none.
    """
    instance = Instance.objects.select_related("session").get(pk=instance_id)
    session = instance.session
    missing = frames.Key(provider=request.provider, nonce=request.nonce, error="key_missing")
    is_for_models = request.provider == session.provider
    is_for_git = repositories.leads_to(session, request.provider, request.base_url)
    if not instance.is_live or not (is_for_models or is_for_git):
        return missing
    if is_for_models and not _may_have_key(instance.link_version, request.provider):
        return frames.Key(provider=request.provider, nonce=request.nonce, error="sidecar_old")
    try:
        key = keys.choose(
            owner_id=session.owner_id,
            provider=request.provider,
            key_id=session.key_id if is_for_models else None,
            base_url=request.base_url,
        )
        if key is None:
            return missing
        sealed = keys.seal_for(
            key_id=key.pk,
            user_id=session.owner_id,
            session_id=session.pk,
            generation=instance.generation,
            public_key=instance.public_key,
            nonce=request.nonce,
            base_url=request.base_url,
        )
    except AppError as error:
        return frames.Key(provider=request.provider, nonce=request.nonce, error=error.code)
    return frames.Key(provider=request.provider, nonce=request.nonce, sealed=sealed)


def _may_have_key(version: int, provider: str) -> bool:
    """An older sidecar knows no logins of plans: it would use one as if it were a key."""
    return version >= frames.LOGIN_VERSION or not providers.is_plan(provider)


def hold_sessions_with(key_id: uuid.UUID) -> None:
    """Before this key is deleted, which changes the rows of all sessions that name it.

    Whoever stores what a call used has its session, and takes the key at the commit.
    """
    Session.objects.filter(key=key_id).hold_all()


def on_key_revoked(revoked: revocation.Revoked) -> None:
    """Tells the sidecars that were given the key to forget it; calls with other keys go on."""
    given = uses.sessions_with(revoked.key_id)
    live = Instance.objects.live().filter(
        Q(session__provider=revoked.provider) | repositories.at(revoked.provider, of="session__"),
        session__in=given,
    )
    relay.forget_key(list(live.values_list("pk", flat=True)), revoked.provider)


def revoked_keys(instance_ids: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, uses.Outdated]]:
    """Which of these instances may hold a key that was revoked, by the rows: a wake-up may have been lost."""
    named = Instance.objects.filter(pk__in=instance_ids, session__isnull=False)
    lives = {(session, gen): pk for pk, session, gen in named.values_list("pk", "session", "generation")}
    found = uses.outdated({session for session, _ in lives}) if lives else []
    pairs = [(lives.get((entry.session, entry.generation)), entry) for entry in found]
    return [(instance_id, entry) for instance_id, entry in pairs if instance_id is not None]


def _parse(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None
