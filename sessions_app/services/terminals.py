"""Terminals: opened, changed and removed by people, and what sidecars tell of them; without their bytes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from openagent.accounts.models import User
from openagent.lib.errors import AppError, NotFound
from sessions_app.models import Instance, Session, Terminal, TerminalState
from sessions_app.models.instance import AWAKE_STATES
from sessions_app.services import activity, commands, events, instances, state
from sidecar.protocol import messages, terminals
from sidecar.protocol.frames import TerminalOpenAgent
from sidecar.protocol.terminals import TerminalClose, TerminalOpen, TerminalResize

MAX_TITLE = 200
MAX_CLOSED = 20


class Unsupported(AppError):
    """The session's sidecar is older than terminals."""

    def __init__(self) -> None:
        message = "This session runs on an older sidecar without terminals: stop and start it."
        super().__init__("terminals_unsupported", message, 409)


class TooMany(AppError):
    """A session can have so many open terminals and no more."""

    def __init__(self) -> None:
        most = settings.OPENAGENT_TERMINALS_PER_SESSION
        super().__init__("too_many_terminals", f"A session has {most} terminals at most: close one.", 409)


class IdInUse(AppError):
    """The id that a client made is that of another terminal."""

    def __init__(self) -> None:
        super().__init__("id_in_use", "This id belongs to another terminal: make a new one.", 409)


@transaction.atomic
def open_one(
    *,
    session: Session,
    user: User,
    rows: int,
    cols: int,
    terminal_id: uuid.UUID | None = None,
    command: Sequence[str] | None = None,
    shows_agent: bool = False,
    title: str = "",
) -> tuple[Terminal, bool]:
    """The terminal, and whether it is new; waking the session if it sleeps. IdInUse, TooMany, Unsupported."""
    Session.objects.hold(session.pk)
    if terminal_id and (known := Terminal.objects.filter(pk=terminal_id).first()):
        if known.session_id != session.pk or known.removed_at is not None:
            raise IdInUse
        return known, False
    # A removed one has its place until its sidecar has closed it.
    unclosed = Terminal.objects.unclosed().filter(session=session.pk)
    if unclosed.count() >= settings.OPENAGENT_TERMINALS_PER_SESSION:
        raise TooMany
    live = Instance.objects.live().filter(session=session.pk).first()
    if live is not None and 0 < live.link_version < terminals.VERSION:
        raise Unsupported
    terminal = Terminal(
        id=terminal_id or uuid.uuid4(),
        session=session,
        title=_title(title),
        command=list(command) if command else None,
        shows_agent=shows_agent,
        rows=rows,
        cols=cols,
        is_recorded=settings.OPENAGENT_TERMINAL_RECORDING,
        opened_by=user,
    )
    try:
        with transaction.atomic():
            terminal.save(force_insert=True)
    except IntegrityError:  # the same request, at the same time
        return Terminal.objects.get(pk=terminal.pk), False
    Session.objects.filter(pk=session.pk).update(is_paused=False)
    activity.touch(session_id=session.pk)
    instances.wake(session_id=session.pk)
    dispatch(session_id=session.pk)
    state.bump(session.pk)
    return terminal, True


def dispatch(*, session_id: uuid.UUID) -> None:
    """Asks the live instance for the terminals that wait, unless it is stopping."""
    live = Instance.objects.filter(session=session_id, state__in=AWAKE_STATES).first()
    if live is None:
        return
    in_order = Terminal.objects.waiting().filter(session=session_id).order_by("created_at")
    for waiting in in_order.select_related("opened_by"):
        if not Terminal.objects.waiting().filter(pk=waiting.pk).update(instance=live):
            continue
        order = (TerminalOpenAgent if waiting.shows_agent else TerminalOpen)(
            terminal=str(waiting.pk),
            command=waiting.command or [],
            rows=waiting.rows,
            cols=waiting.cols,
            title=waiting.title,
            by=waiting.opened_by.get_full_name() if waiting.opened_by else "",
            record=waiting.is_recorded,
            ring_bytes=settings.OPENAGENT_TERMINAL_RING_KB * 1024,
        )
        commands.give(instance_id=live.pk, order=order)


@transaction.atomic
def change(
    *, terminal: Terminal, title: str | None = None, rows: int | None = None, cols: int | None = None
) -> None:
    """Another title, or another size for as long as no viewer has said one."""
    Session.objects.hold(terminal.session_id)
    mine = Terminal.objects.filter(pk=terminal.pk)
    if title is not None:
        mine.update(title=_title(title))
    if rows is not None or cols is not None:
        size = (rows or terminal.rows, cols or terminal.cols)
        mine.update(rows=size[0], cols=size[1])
        order = TerminalResize(terminal=str(terminal.pk), rows=size[0], cols=size[1])
        _order(terminal, order)
    state.bump(terminal.session_id)


@transaction.atomic
def remove(*, terminal: Terminal) -> None:
    """Ends its programs and removes it with what is kept of it. Idempotent."""
    Session.objects.hold(terminal.session_id)
    if not Terminal.objects.present().filter(pk=terminal.pk).update(removed_at=timezone.now()):
        return
    _order(terminal, TerminalClose(terminal=str(terminal.pk)))
    unasked = Terminal.objects.filter(pk=terminal.pk, instance=None)
    if unasked.update(state=TerminalState.CLOSED, reason="closed", closed_at=timezone.now()):
        _forget_old(terminal.session_id)
    terminal.pieces.all().delete()
    state.bump(terminal.session_id)


def get(*, session_id: uuid.UUID, terminal_id: uuid.UUID) -> Terminal:
    """One that is not removed. NotFound."""
    found = Terminal.objects.present().filter(pk=terminal_id, session=session_id)
    terminal = found.select_related("instance", "opened_by").first()
    if terminal is None:
        raise NotFound("There is no such terminal.")
    return terminal


def watched(*, session_id: uuid.UUID, terminal_id: uuid.UUID, user_id: uuid.UUID) -> Terminal:
    """The same for somebody who watches it: also the session must be theirs, and still there. NotFound."""
    if not Session.objects.owned_by(user_id).filter(pk=session_id).exists():
        raise NotFound("There is no such session.")
    return get(session_id=session_id, terminal_id=terminal_id)


def name_of(user_id: uuid.UUID) -> str:
    """Somebody's name as other viewers see it."""
    user = User.objects.filter(pk=user_id).first()
    return user.get_full_name() if user else ""


# --- what sidecars tell ------------------------------------------------------------------------------


def on_opened(*, session_id: uuid.UUID, data: messages.TerminalOpened) -> None:
    """It runs."""
    opening = Terminal.objects.filter(pk=data.terminal_id, session=session_id, state=TerminalState.OPENING)
    opening.update(state=TerminalState.OPEN, opened_at=timezone.now())


def on_closed(*, session_id: uuid.UUID, data: messages.TerminalClosed) -> None:
    """It ended, or never came to be. The first end counts."""
    Terminal.objects.unclosed().filter(pk=data.terminal_id, session=session_id).update(
        state=TerminalState.CLOSED,
        reason=data.reason,
        exit_code=data.exit_code,
        message=data.message[:1000],
        closed_at=timezone.now(),
    )
    _forget_old(session_id)


def on_refused(*, session_id: uuid.UUID, terminal_id: str, reason: str) -> None:
    """The sidecar did not carry out the order to open it."""
    words = {
        "unknown_verb": "The session's sidecar is too old for terminals: stop and start the session.",
        "too_many_terminals": "The session has too many terminals.",
    }
    message = words.get(reason, "The session could not open it; try again.")
    closed = messages.TerminalClosed(terminal_id=terminal_id, reason="failed", message=message)
    on_closed(session_id=session_id, data=closed)


def end_with(instance: Instance, *, reason: messages.TerminalReason) -> list[events.Entry]:
    """The instance ended without a word about these: closes them; what the log has to say of it."""
    left = Terminal.objects.unclosed().filter(instance=instance.pk)
    entries = []
    for pk in left.values_list("pk", flat=True):
        data = messages.TerminalClosed(terminal_id=str(pk), reason=reason)
        on_closed(session_id=instance.session_id, data=data)
        entries.append(events.Entry(kind="terminal.closed", data=data))
    return entries


def _order(terminal: Terminal, order: TerminalClose | TerminalResize) -> None:
    if terminal.instance_id is None or terminal.state == TerminalState.CLOSED:
        return
    instance = Instance.objects.live().filter(pk=terminal.instance_id).first()
    if instance is not None:
        commands.give(instance_id=instance.pk, order=order)


def _forget_old(session_id: uuid.UUID) -> None:
    closed = Terminal.objects.filter(session=session_id, state=TerminalState.CLOSED)
    # The removed ones are there for their ids only, and take no place of what is kept.
    for rows in (closed.present(), closed.exclude(removed_at=None)):
        newest = list(rows.order_by("-closed_at").values_list("pk", flat=True)[:MAX_CLOSED])
        rows.exclude(pk__in=newest).delete()


def _title(title: str) -> str:
    """In one line, and without what is not to be seen: it may come from a program."""
    printable = "".join(letter if letter.isprintable() else " " for letter in title)
    return " ".join(printable.split())[:MAX_TITLE]
