"""Writes down what is done with keys: one row for each use, which outlives the key."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction

from keys_app.models import KeyAction, KeyUse, ProviderKey
from openagent.lib.errors import AppError


class CannotSeal(AppError):
    """The sidecar's public key or nonce is unusable, or the nonce was used before."""

    def __init__(self, message: str) -> None:
        super().__init__("cannot_seal", message, 400)


def write(key: ProviderKey, action: KeyAction, *, detail: str = "") -> None:
    KeyUse.objects.create(
        key=key.pk, owner_id=key.owner_id, provider=key.provider, action=action, detail=detail
    )


def sealing(
    key: ProviderKey, *, user_id: uuid.UUID, session_id: uuid.UUID, generation: int, nonce: bytes
) -> None:
    """The key is sealed for a session of this user; CannotSeal when the nonce was sealed to before."""
    try:
        with transaction.atomic():
            KeyUse.objects.create(
                key=key.pk,
                owner_id=key.owner_id,
                user_id=user_id,
                provider=key.provider,
                action=KeyAction.SEALED,
                session=session_id,
                generation=generation,
                sidecar_nonce=nonce.hex(),
            )
    except IntegrityError:
        raise CannotSeal("this nonce was sealed to before") from None
