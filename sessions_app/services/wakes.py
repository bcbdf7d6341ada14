"""Waking a session for its prompts, which may wait for a budget instead."""

from __future__ import annotations

import uuid

from sessions_app.models import Session
from sessions_app.services import budgets, instances


def for_prompts(*, session_id: uuid.UUID) -> None:
    """Asks for an instance unless one is live, or none of the prompts may run before a budget is raised."""
    session = Session.objects.present().filter(pk=session_id).first()
    if session is not None and not budgets.refusal(session):
        instances.wake(session_id=session_id)
