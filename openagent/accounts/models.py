"""The rows of accounts: users, their access tokens, single-use socket tickets, and the first set-up."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from knox.models import AbstractAuthToken


class UserManager(BaseUserManager["User"]):
    """Makes users; the two methods are the ones that Django's own commands call."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


_ACTIVE = "Untick instead of deleting an account: it ends logins and tokens, and stops sessions."


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # of AccessToken: untyped knox
    """Somebody who can sign in; made at set-up or in the admin, never by signing up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField("e-mail address", unique=True)
    display_name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField(default=False, help_text="May use the admin.")
    is_active = models.BooleanField(default=True, help_text=_ACTIVE)
    date_joined = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.display_name or self.email

    def get_short_name(self) -> str:
        return self.display_name or self.email.partition("@")[0]


class FirstRun(models.Model):
    """The set-up that made the first account. There is room for one row, so of two at once one wins."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    completed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="first_run_once")]

    def __str__(self) -> str:
        return f"Set up by {self.user}"


class Scope(models.TextChoices):
    """What a token may do."""

    READ = "read", "Look at everything"
    WRITE = "write", "Work with sessions"
    ADMIN = "admin", "Manage keys, tokens and the account"


class AccessToken(AbstractAuthToken):  # type: ignore[misc]  # knox is untyped
    """A personal access token for API clients. Knox keeps a digest only; the token is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=128, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=80)
    scopes = models.JSONField(default=list)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager["AccessToken"]()

    def __str__(self) -> str:
        return self.name


class WsTicket(models.Model):
    """Opens one socket for a login that cannot send a header; only the digest of the ticket is kept.

    It is tied to the login that asked for it: the Django login session, or the access token.
    """

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="ws_tickets")
    session_key = models.CharField(max_length=40, blank=True, editable=False)
    token = models.ForeignKey(AccessToken, null=True, blank=True, on_delete=models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Ticket of {self.user}"
