"""Budgets are set, raised and taken away here; whatever waited for that goes on."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet

from keys_app.models import ProviderKey
from openagent.accounts.models import User
from openagent.lib.errors import AppError, NotFound
from sessions_app import jobs
from sessions_app.models import Budget, Prompt, Session
from sessions_app.services import budgets, prompts, state, wakes

MAX_OWN = 100


class NotYours(AppError):
    """Administrators set budgets for users, groups and what is shared; one's own are for oneself."""

    def __init__(self) -> None:
        super().__init__("not_permitted", "Only administrators change this budget.", 403)


@transaction.atomic
def create(*, user: User, subject_kind: str, subject: str, **fields: Any) -> Budget:
    """Sets a budget: administrators for anybody, others for themselves, their sessions and keys.

    `subject` is an id, or "me". NotFound, NotYours.
    """
    is_admin = user.has_perm("sessions_app.add_budget")
    found = _subject(subject_kind, str(user.pk) if subject == "me" else subject)
    if found is None or not (is_admin or _is_own(user, found)):
        if subject_kind in ("user", "group") and not is_admin:
            raise NotYours
        raise NotFound(f"There is no such {subject_kind}.")
    if not is_admin and Budget.objects.filter(owner=user).count() >= MAX_OWN:
        raise AppError("too_many_budgets", f"{MAX_OWN} budgets are enough: remove some.", 409)
    budget = Budget.objects.create(owner=None if is_admin else user, **{subject_kind: found}, **fields)
    apply(budget)
    return budget


@transaction.atomic
def change(budget: Budget, *, user: User, **fields: Any) -> Budget:
    """Sets other numbers. NotYours when it is not for this user to change."""
    require(budget, user)
    for name, value in fields.items():
        setattr(budget, name, value)
    budget.save(update_fields=list(fields))
    apply(budget)
    return budget


@transaction.atomic
def remove(budget: Budget, *, user: User) -> None:
    """Takes it away. NotYours as above."""
    require(budget, user)
    delete(budget)


@transaction.atomic
def delete(budget: Budget) -> None:
    """Nothing is bound by it any more: those that it bound hear of it, and what waited goes on."""
    bound = Session.objects.present().filter(budgets.sessions_of(budget)).distinct()
    ids = list(bound.order_by("pk").values_list("pk", flat=True))
    budget.delete()
    for session_id in ids:
        state.bump_quietly(session_id)
    _resume(Session.objects.filter(pk__in=ids))


def require(budget: Budget, user: User) -> None:
    """NotYours unless this user may change it."""
    if budget.owner_id != user.pk and not user.has_perm("sessions_app.change_budget"):
        raise NotYours


def apply(budget: Budget) -> None:
    """It is new or different: what waits in the sessions that it binds goes on, if it may now."""
    _resume(Session.objects.present().filter(budgets.sessions_of(budget)))
    transaction.on_commit(partial(jobs.tell_of_budget, budget.pk))


def _resume(bound: QuerySet[Session]) -> None:
    """In the order of their ids, as whoever takes several does."""
    waiting = Prompt.objects.queued().order_by().values("session")
    bound = bound.filter(pk__in=waiting).order_by("pk").distinct()
    for session_id in list(bound.values_list("pk", flat=True)):
        state.bump(session_id)
        if not Session.objects.filter(pk=session_id, is_paused=True).exists():
            prompts.dispatch(session_id=session_id)
            wakes.for_prompts(session_id=session_id)


def _subject(kind: str, subject: str) -> User | Group | ProviderKey | Session | None:
    if kind == "group":
        return (
            Group.objects.filter(pk=int(subject)).first() if subject.isascii() and subject.isdigit() else None
        )
    try:
        pk = uuid.UUID(subject)
    except ValueError:
        return None
    if kind == "user":
        return User.objects.filter(pk=pk).first()
    if kind == "key":
        return ProviderKey.objects.filter(pk=pk).first()
    return Session.objects.present().filter(pk=pk).first()


def _is_own(user: User, subject: User | Group | ProviderKey | Session) -> bool:
    if isinstance(subject, ProviderKey | Session):
        return subject.owner_id == user.pk
    return subject == user
