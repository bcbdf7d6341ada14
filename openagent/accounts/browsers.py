"""The browsers in which somebody is signed in: what they are, when they were seen last, signing them out.

What is known of a browser is in its login session, where Django keeps no column that says whose it is: so all
of them are read, which are few in an installation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.utils import timezone

from openagent.accounts import login_store, logins
from openagent.accounts.models import User
from openagent.lib.errors import NotFound

NOTE_EVERY = timedelta(minutes=10)

_NOTE = "browser"
_NEVER = datetime.min.replace(tzinfo=UTC)
# What somebody's browser says of itself is theirs to make up: only words of ours are shown.
_PROGRAMS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@dataclass(frozen=True)
class Browser:
    """`id` is that of its login session's row, which signs nobody in."""

    id: str
    name: str
    since: datetime | None
    seen_at: datetime | None
    is_current: bool


def note(session: SessionBase, agent: str) -> None:
    """The browser of this login is here, and calls itself `agent`; its login lasts no longer for it."""
    now = timezone.now()
    known = session.get(_NOTE, {})
    if not session.session_key or (known and now - datetime.fromisoformat(known["seen_at"]) < NOTE_EVERY):
        return
    noted = {"name": name_of(agent), "since": known.get("since", now.isoformat()), "seen_at": now.isoformat()}
    # Saving the session itself would prolong it, and what this request has read of it may be old by now.
    row = Session.objects.filter(pk=login_store.row_key(session.session_key)).first()
    if row is None:
        return
    store = login_store.SessionStore()
    encoded = store.encode({**store.decode(row.session_data), _NOTE: noted})
    # Who was quicker has changed something that counts; the note waits for the next time.
    Session.objects.filter(pk=row.pk, session_data=row.session_data).update(session_data=encoded)


def name_of(agent: str) -> str:
    """What to call a browser, of what it says about itself: `Firefox on Linux`."""
    programs = (name for sign, name in _PROGRAMS.items() if re.search(rf"\b{sign}\w*/", agent))
    program = next(programs, "A browser")
    system = next((name for sign, name in _SYSTEMS.items() if sign in agent), "")
    return f"{program} on {system}" if system else program


def of_user(user: User, *, current_key: str | None) -> list[Browser]:
    """Where `user` is signed in: the one with this key first, then whichever was seen last."""
    current = login_store.row_key(current_key) if current_key else ""
    found = [_browser(row.session_key, data, current) for row, data in _rows(user)]
    return sorted(found, key=lambda each: (each.is_current, each.seen_at or _NEVER), reverse=True)


def sign_out(user: User, browser_id: str) -> None:
    """End one login; NotFound. Its sockets end within seconds."""
    for row, _ in _rows(user):
        if row.session_key == browser_id:
            row.delete()
            return
    raise NotFound


def sign_out_others(user: User, *, current_key: str | None) -> None:
    """End every login but the one with this key."""
    current = login_store.row_key(current_key) if current_key else ""
    for row, _ in _rows(user):
        if row.session_key != current:
            row.delete()


def _rows(user: User) -> Iterator[tuple[Session, dict[str, Any]]]:
    for row in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        data = row.get_decoded()
        if logins.belongs_to(data, user):
            yield row, data


def _browser(key: str, data: dict[str, Any], current: str) -> Browser:
    known = data.get(_NOTE, {})
    return Browser(
        id=key,
        name=known.get("name", "A browser"),
        since=_moment(known.get("since")),
        seen_at=_moment(known.get("seen_at")),
        is_current=key == current,
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
