"""The public shapes of rows: plain JSON values, the same over REST and in the state that sockets get."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from django.conf import settings

from openagent.accounts.models import User
from sessions_app.models import Instance, Permission, Prompt, Session, Terminal
from sessions_app.models.instance import AWAKE_STATES
from sessions_app.models.usage import TOTALS
from sessions_app.services import starts

Shape: TypeAlias = dict[str, Any]

NO_USAGE: Mapping[str, int] = dict.fromkeys(TOTALS, 0)

# What a person reads about a start that is under way, by the last stage that was reached.
_STAGE_WORDS = {
    "requested": "Waiting for its box to be made.",
    "waiting": (
        "Others start first, as many are live as may be, or an administrator empties the host. "
        "It starts as soon as there is a place."
    ),
    "image": "What runs in its box is there; its disk is prepared.",
    "volume": "Its disk is ready; its box is made.",
    "created": "The box is made; its sidecar starts.",
    "sidecar": "The sidecar is connected; the box starts.",
    "box": "The box is ready; the agent starts.",
    "repository": "The repository is there; the agent starts.",
    "agent": "The agent starts.",
    "ready": "The agent is ready.",
}
_ASKED = ("tool_call_id", "command", "cwd", "path", "diff", "host", "rule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What other rows say about a session; `instance` is the live one or else the latest."""

    status: str
    instance: Instance | None = None
    turn: uuid.UUID | None = None
    queued: int = 0
    pending: int = 0
    usage: Mapping[str, int] = field(default_factory=lambda: NO_USAGE)


def moment(value: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def person(user: User | None) -> Shape | None:
    """Somebody as others may see them."""
    return {"id": str(user.pk), "name": user.get_full_name()} if user else None


def session(row: Session, facts: Facts) -> Shape:
    """A session with everything that its header and its entry in a list show."""
    return {
        "id": str(row.pk),
        "title": row.title,
        "agent": row.agent,
        "provider": row.provider,
        "model": row.model,
        "key": str(row.key_id) if row.key_id else None,
        "mode": row.mode,
        "egress": {"policy": row.egress_policy, "ask": row.egress_ask, "hosts": row.egress_hosts},
        "repository": _repository(row),
        "disk": _disk(row),
        "status": facts.status,
        "status_detail": _detail(row, facts),
        "auto_resume": row.auto_resume,
        "paused": row.is_paused,
        "archived": row.archived_at is not None,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "last_seq": row.last_seq,
        "generation": row.generation,
        **_sleep(row, facts),
        "queued_prompts": facts.queued,
        "pending_permissions": facts.pending,
        "usage": dict(facts.usage),
        "instance": instance(facts.instance) if facts.instance else None,
        "turn": str(facts.turn) if facts.turn else None,
    } | _deleted(row)


def _repository(row: Session) -> Shape | None:
    if not row.repository_url:
        return None
    return {"url": row.repository_url, "branch": row.repository_branch}


def _disk(row: Session) -> Shape | None:
    """What its disk took when it was last measured; nothing before that."""
    if row.disk_bytes is None:
        return None
    return {
        "bytes": row.disk_bytes,
        "limit": row.disk_limit_bytes,
        "measured_at": moment(row.disk_measured_at),
    }


def _sleep(row: Session, facts: Facts) -> Shape:
    """What is true of one that is awake only."""
    is_awake = facts.instance is not None and facts.instance.state in AWAKE_STATES
    return {
        "sleeps_at": moment(row.sleeps_at) if is_awake else None,
        "kept_until": moment(row.kept_until) if is_awake else None,
    }


def _deleted(row: Session) -> Shape:
    """Until when a deleted session can be restored; nothing of others."""
    if row.deleted_at is None:
        return {}
    until = row.deleted_at + timedelta(seconds=settings.OPENAGENT_DELETE_GRACE_SECONDS)
    return {"deleted_at": moment(row.deleted_at), "restorable_until": moment(until)}


def instance(row: Instance) -> Shape:
    """One life of the session's sidecar and box, with the start-up stages that it reached."""
    stages = [
        {"name": name, "elapsed_ms": round(passed * 1000)}
        for name, passed in starts.passed(row.stages).items()
    ]
    failed = row.error_code or row.error_message
    return {
        "id": str(row.pk),
        "generation": row.generation,
        "state": row.state,
        "driver": row.driver,
        "stages": stages,
        "progress": row.progress,
        "error": {"code": row.error_code, "message": row.error_message} if failed else None,
    }


def prompt(row: Prompt, position: int | None) -> Shape:
    """A prompt; `position` counts from 1 among those that wait and is None for all others."""
    return {
        "id": str(row.pk),
        "text": row.text,
        "state": row.state,
        "position": position,
        "due_at": moment(row.due_at),
        "created_at": moment(row.created_at),
        "by": person(row.author),
        "error": row.error,
    }


def terminal(row: Terminal) -> Shape:
    """A terminal; its bytes are elsewhere."""
    return {
        "id": str(row.pk),
        "title": row.title,
        "command": row.command,
        "agent": row.shows_agent,
        "rows": row.rows,
        "cols": row.cols,
        "state": row.state,
        "generation": row.instance.generation if row.instance else None,
        "recording": row.is_recorded,
        "created_at": moment(row.created_at),
        "opened_at": moment(row.opened_at),
        "closed_at": moment(row.closed_at),
        "reason": row.reason,
        "exit_code": row.exit_code,
        "message": row.message,
        "has_transcript": row.kept_end is not None and row.kept_to > row.kept_start,
        "by": person(row.opened_by),
    }


def permission(row: Permission) -> Shape:
    """What an agent asks, and how it was answered."""
    asked: Mapping[str, Any] = row.asked
    return {
        "id": str(row.pk),
        "session": str(row.session_id),
        "session_title": row.session.title,
        "turn": str(row.turn) if row.turn else None,
        "type": row.type,
        "title": row.title,
        **{name: asked.get(name, "") for name in _ASKED},
        "questions": [_question(question) for question in asked.get("questions", [])],
        "state": row.state,
        "choice": row.choice,
        "message": row.message,
        "answers": row.answers,
        "by": row.by,
        "answered_by": person(row.answered_by),
        "asked_at": moment(row.asked_at),
        "answered_at": moment(row.answered_at),
    }


def _question(asked: Mapping[str, Any]) -> Shape:
    """All keys of a question: in events the ones at their default are left out."""
    options = [
        {"label": option["label"], "description": option.get("description", "")}
        for option in asked.get("options", [])
    ]
    return {
        "question": asked["question"],
        "header": asked.get("header", ""),
        "options": options,
        "multiple": asked.get("multiple", False),
        "custom": asked.get("custom", True),
    }


def _detail(row: Session, facts: Facts) -> str:
    """One sentence on why the status is what it is; empty where the status says it all."""
    latest = facts.instance
    if latest is None:
        return ""
    if latest.state == "stopping":
        return "Stopping."
    if facts.status == "starting" and latest.progress:
        return f"The repository is being cloned. {latest.progress}"
    if facts.status in {"queued", "starting"}:
        return _STAGE_WORDS.get(latest.stages[-1]["name"], "") if latest.is_live and latest.stages else ""
    if facts.status == "needs_you":
        return "The agent waits for your answer."
    if facts.status == "failed":
        return latest.error_message or "It could not be started."
    if facts.status == "ready" and latest.agent_rests:
        return "The agent rests; the next prompt starts it."
    return _why_asleep(row, facts, latest) if facts.status == "asleep" else ""


def _why_asleep(row: Session, facts: Facts, latest: Instance) -> str:
    if row.is_paused and facts.queued:
        waiting = "1 prompt waits" if facts.queued == 1 else f"{facts.queued} prompts wait"
        return f"Stopped; {waiting}. Start the session to go on."
    if latest.state == "lost":
        why = latest.error_message.rstrip(".") or "it ended unexpectedly"
        return f"The box was lost: {why}. Send a prompt to go on."
    return "Send a prompt to wake it."
