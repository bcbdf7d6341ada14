"""Who may reach which rows: every view gets its rows from here, so a stranger's are not there at all."""

from __future__ import annotations

import uuid
from typing import cast

from django.db.models import QuerySet
from rest_framework.request import Request

from openagent.accounts.models import User
from openagent.lib import log
from openagent.lib.errors import NotFound
from sessions_app.models import EgressRule, Permission, Prompt, Session
from sessions_app.services import shapes, state


def user_of(request: Request) -> User:
    """Who asks; views that anonymous visitors reach do not call this."""
    return cast(User, request.user)


def sessions(request: Request) -> QuerySet[Session]:
    """The sessions that this user may see."""
    return Session.objects.owned_by(user_of(request).pk)


def kept_sessions(request: Request) -> QuerySet[Session]:
    """Those, and the deleted ones that can be restored."""
    return Session.objects.filter(owner_id=user_of(request).pk, purge_begun_at=None)


def kept_session(request: Request, session_id: uuid.UUID) -> Session:
    """One of them, or NotFound."""
    found = kept_sessions(request).filter(pk=session_id).first()
    if found is None:
        raise NotFound("There is no such session.")
    log.bind(session=session_id)
    return found


def session(request: Request, session_id: uuid.UUID, *, turn: uuid.UUID | None = None) -> Session:
    """One of them, or NotFound. What is logged from here on carries its id, and the turn's that is meant."""
    found = sessions(request).filter(pk=session_id).first()
    if found is None:
        raise NotFound("There is no such session.")
    log.bind(session=session_id, turn=turn)
    return found


def described(request: Request, session_id: uuid.UUID) -> shapes.Shape:
    """The public shape of one of them as it is now, or NotFound."""
    found = state.describe(state.with_status(sessions(request).filter(pk=session_id)))
    if not found:
        raise NotFound("There is no such session.")
    log.bind(session=session_id)
    return found[0]


def prompts(request: Request, session_id: uuid.UUID, *, turn: uuid.UUID | None = None) -> QuerySet[Prompt]:
    """The prompts of one of them, or NotFound."""
    return session(request, session_id, turn=turn).prompts.select_related("author")


def permissions(request: Request) -> QuerySet[Permission]:
    """What agents ask in the sessions that this user may see."""
    mine = Permission.objects.filter(session__owner_id=user_of(request).pk, session__deleted_at=None)
    return mine.select_related("session", "answered_by")


def egress_rules(request: Request) -> QuerySet[EgressRule]:
    """What this user has decided about hosts."""
    return EgressRule.objects.owned_by(user_of(request).pk).select_related("session")


def egress_rule(request: Request, rule_id: uuid.UUID) -> EgressRule:
    """One of them, or NotFound."""
    found = egress_rules(request).filter(pk=rule_id).first()
    if found is None:
        raise NotFound("There is no such rule.")
    return found


def permission(request: Request, permission_id: uuid.UUID) -> Permission:
    """One of them, or NotFound."""
    found = permissions(request).filter(pk=permission_id).first()
    if found is None:
        raise NotFound("There is no such permission.")
    log.bind(session=found.session_id, turn=found.turn)
    return found
