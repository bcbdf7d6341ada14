"""Ends what somebody has who may not sign in any more: logins, tokens, and what runs for them.

The apps above subscribe when the process starts; sockets end by themselves, see `logins.alive`.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction

from openagent.accounts.models import AccessToken, User, WsTicket

Listener = Callable[[uuid.UUID], None]

_listeners: list[Listener] = []


def subscribe(listener: Listener) -> None:
    """From now on `listener` gets the id of each user who was deactivated; twice changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


@transaction.atomic
def deactivate(user: User) -> None:
    """From now on nobody is signed in as `user`, also not when the account is activated again."""
    User.objects.filter(pk=user.pk).update(is_active=False)
    WsTicket.objects.filter(user=user).delete()
    AccessToken.objects.filter(user=user).delete()
    # Django keeps no column that says whose a login is.
    for login in Session.objects.iterator():
        if login.get_decoded().get(SESSION_KEY) == str(user.pk):
            login.delete()
    for listener in _listeners:
        transaction.on_commit(functools.partial(listener, user.pk), robust=True)
