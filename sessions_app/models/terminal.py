"""A terminal of a session, and what is kept of its output once it is closed."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class TerminalState(models.TextChoices):
    """States only move forward; one that fails to open is closed at once."""

    OPENING = "opening"
    OPEN = "open"
    CLOSED = "closed"


class TerminalQuerySet(models.QuerySet["Terminal"]):
    """Filters over the life of terminals."""

    def present(self) -> TerminalQuerySet:
        """Terminals that nobody removed."""
        return self.filter(removed_at=None)

    def unclosed(self) -> TerminalQuerySet:
        """Terminals that run, or are about to."""
        return self.exclude(state=TerminalState.CLOSED)

    def waiting(self) -> TerminalQuerySet:
        """Terminals that no instance was asked for yet."""
        return self.filter(state=TerminalState.OPENING, instance=None, removed_at=None)


class Terminal(models.Model):
    """One PTY. It waits without an instance, and ends with the one that opened it.

    `shows_agent`: its program is the agent's own interface, whatever that is in this session.
    Of a closed one the output between `kept_start` and `kept_end` is in its pieces, as far as `kept_to`;
    `sizes` and `times` are those of `sidecar.protocol.terminals.TerminalSaved`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey("sessions_app.Session", on_delete=models.CASCADE, related_name="terminals")
    instance = models.ForeignKey(
        "sessions_app.Instance", null=True, blank=True, on_delete=models.CASCADE, related_name="terminals"
    )
    title = models.CharField(max_length=200, blank=True)
    command = models.JSONField(null=True, blank=True)
    shows_agent = models.BooleanField(default=False)
    rows = models.PositiveIntegerField()
    cols = models.PositiveIntegerField()
    is_recorded = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=TerminalState.choices, default=TerminalState.OPENING)
    reason = models.CharField(max_length=10, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    message = models.TextField(blank=True)

    kept_start = models.BigIntegerField(default=0)
    kept_end = models.BigIntegerField(null=True, blank=True)
    kept_to = models.BigIntegerField(default=0)
    sizes = models.JSONField(default=list, blank=True)
    times = models.JSONField(default=list, blank=True)

    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = TerminalQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["session", "created_at"], name="terminal_session_created")]

    def __str__(self) -> str:
        return f"{self.title or 'terminal'} of {self.session_id} ({self.state})"


class TerminalPiece(models.Model):
    """Kept output from `offset` on, compressed."""

    terminal = models.ForeignKey(Terminal, on_delete=models.CASCADE, related_name="pieces")
    offset = models.BigIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["terminal", "offset"], name="one_piece_per_offset"),
        ]

    def __str__(self) -> str:
        return f"{self.terminal_id} from {self.offset}"
