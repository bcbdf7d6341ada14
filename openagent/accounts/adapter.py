"""Tells django-allauth how accounts work here: nobody signs up by themselves."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.http import HttpRequest

from openagent.accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def reauthenticate(self, user: User, password: str) -> bool:
        # The default asks allauth's own table of addresses, which knows nobody whom an administrator made.
        return bool(self.authenticate(context.request, email=user.email, password=password) == user)
