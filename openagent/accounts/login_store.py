"""Login sessions in the database, found by a digest of their key: rows that are read sign nobody in."""

from __future__ import annotations

import hashlib
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.utils import timezone

_DIGITS = 40
"""As many as the column of Django's own model holds; 160 bits."""


def row_key(session_key: str) -> str:
    """What the row of this session is found by."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:_DIGITS]


class SessionStore(db.SessionStore):
    """Django's, but the key in the cookie is not the key of the row.

    The name stays: Django signs the data with it.
    """

    def _get_session_from_db(self) -> Session | None:
        key = self.session_key
        alive = Session.objects.filter(expire_date__gt=timezone.now())
        found = alive.filter(session_key=row_key(key)).first() if key else None
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(session_key=row_key(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        made = super().create_model_instance(data)
        made.session_key = row_key(made.session_key)
        return made

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            Session.objects.filter(session_key=row_key(key)).delete()

    async def _aget_session_from_db(self) -> Session | None:
        return await sync_to_async(self._get_session_from_db)()

    async def aexists(self, session_key: str) -> bool:
        return await sync_to_async(self.exists)(session_key)

    async def acreate_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        return await sync_to_async(self.create_model_instance)(data)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)
