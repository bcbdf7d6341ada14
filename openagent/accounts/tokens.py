"""Personal access tokens: made, found, deleted. Knox makes and hashes them; a token is readable only once."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils import timezone
from knox.crypto import hash_token
from knox.models import get_digest_token
from knox.settings import CONSTANTS, knox_settings

from openagent.accounts.models import AccessToken, Scope
from openagent.lib.errors import AppError
from openagent.lib.redact import Secret

MOST_TOKENS = 100
_USE_IS_NOTED_EVERY = timedelta(minutes=1)
_LONGEST = 200

_INCLUDES = {
    Scope.READ: {Scope.READ},
    Scope.WRITE: {Scope.READ, Scope.WRITE},
    Scope.ADMIN: {Scope.READ, Scope.WRITE, Scope.ADMIN},
}


class TooManyTokens(AppError):
    """The user has as many tokens as anybody may have."""

    def __init__(self) -> None:
        super().__init__("too_many_tokens", f"{MOST_TOKENS} tokens are the most. Delete one first.", 409)


def default_expiry() -> datetime:
    """When a token ends that was asked for without saying when."""
    lifetime: timedelta = knox_settings.TOKEN_TTL
    return timezone.now() + lifetime


@transaction.atomic
def issue(
    *, user_id: uuid.UUID, name: str, scopes: Collection[str], expires_at: datetime | None
) -> tuple[AccessToken, Secret]:
    """A new token and its text, which nobody can read again. A scope brings those that it includes."""
    if AccessToken.objects.filter(user_id=user_id).count() >= MOST_TOKENS:
        raise TooManyTokens()
    digest, text = get_digest_token()
    token = AccessToken.objects.create(
        user_id=user_id,
        name=name,
        scopes=[scope for scope in Scope if any(scope in _INCLUDES[Scope(given)] for given in scopes)],
        digest=digest,
        token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH],
        expiry=expires_at,
    )
    return token, Secret(text)


def unexpired() -> models.QuerySet[AccessToken]:
    """Tokens that have not ended."""
    return AccessToken.objects.filter(models.Q(expiry=None) | models.Q(expiry__gt=timezone.now()))


def find(text: str) -> AccessToken | None:
    """The token with this text and its user, if it has not ended and the user is active; notes the use."""
    prefix: str = knox_settings.TOKEN_PREFIX
    if not text.startswith(prefix) or len(text) > _LONGEST or not text.isascii():
        return None
    # Looking up a digest of 512 bits by an index tells an attacker nothing by its timing.
    token = unexpired().filter(digest=hash_token(text), user__is_active=True).select_related("user").first()
    if token is not None:
        _note_use(token)
    return token


def _note_use(token: AccessToken) -> None:
    """Every so often only: a client that polls must not write a row each time."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > _USE_IS_NOTED_EVERY:
        AccessToken.objects.filter(pk=token.pk, last_used_at=token.last_used_at).update(last_used_at=now)
        token.last_used_at = now
