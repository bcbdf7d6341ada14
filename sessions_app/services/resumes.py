"""Turns that a provider refused for a while: if the owner wants it, they go on by themselves at its time."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from openagent.lib import log
from sessions_app.models import Prompt, PromptState, Session
from sessions_app.services import prompts
from sidecar.protocol import messages

_log = log.get(__name__)

TEXT = "The model provider had refused a call for a while. Go on where you stopped."
MOST_IN_A_ROW = 8
SOONEST = timedelta(seconds=30)
"""A provider that names this very moment would otherwise be asked again and again."""

_PASSING: frozenset[messages.ErrorClass] = frozenset(
    {"provider_rate_limit", "provider_quota", "provider_unavailable"}
)
_IDS = uuid.UUID("5f0a8a8e-0b0c-5c8b-9d53-6f5b7f1f7a11")


def arrange(*, session_id: uuid.UUID, turn: uuid.UUID, error: messages.ErrorData | None) -> None:
    """Queues a prompt that goes on with this failed turn when its provider wants to be asked again.

    In a transaction that holds the session. Nothing happens where the owner does not want it, no time was
    named, or it was tried MOST_IN_A_ROW times in a row. What waits in the queue waits as long, behind it.
    """
    if error is None or error.error_class not in _PASSING or not error.retry_at:
        return
    session = Session.objects.present().filter(pk=session_id, auto_resume=True, is_paused=False).first()
    failed = Prompt.objects.filter(pk=turn, state=PromptState.FAILED).first()
    if session is None or failed is None or failed.resumes >= MOST_IN_A_ROW:
        return
    due_at = max(_moment(error.retry_at), timezone.now() + SOONEST)
    made = prompts.add(
        id=uuid.uuid5(_IDS, str(turn)),
        session=session,
        author=failed.author,
        text=TEXT,
        due_at=due_at,
        resumes=failed.resumes + 1,
    )
    if made is not None:
        session.prompts.queued().filter(due_at=None).update(due_at=due_at)
        _log.info("a turn goes on by itself later", resumes=made.resumes)


def _moment(text: str) -> datetime:
    """A time that a sidecar named; nonsense is now, and more than prompts can wait for is that."""
    now = timezone.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return now
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(moment, now + prompts.MAX_WAIT)
