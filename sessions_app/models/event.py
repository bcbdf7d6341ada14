"""The session's log: append-only facts, numbered per session."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Cast, Length

from sidecar.protocol.messages import ENVELOPE_VERSION

CHARACTERS = Length(Cast("data", models.TextField()))
"""How long an event's data is as JSON, without reading it."""


EGRESS_KINDS = ("egress.used", "egress.blocked")
"""What a box reached, and what it did not."""


class EventQuerySet(models.QuerySet["Event"]):
    """Reading the log from a cursor."""

    def after(self, seq: int) -> EventQuerySet:
        """Rows with something newer than `seq`, in order; a folded row spans the numbers up to `seq_end`."""
        return self.filter(seq_end__gt=seq).order_by("seq")


class Event(models.Model):
    """One stored event. After a turn, a part's deltas are folded into one row spanning `seq` to `seq_end`."""

    session = models.ForeignKey("sessions_app.Session", on_delete=models.CASCADE, related_name="events")
    seq = models.BigIntegerField()
    seq_end = models.BigIntegerField()
    gen = models.PositiveIntegerField()
    turn = models.UUIDField(null=True)
    ts = models.CharField(max_length=32)
    kind = models.CharField(max_length=40)
    data = models.JSONField()

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "seq"], name="one_event_per_seq")]
        indexes = [
            models.Index(fields=["session", "seq_end"], name="event_session_seq_end"),
            models.Index(fields=["session", "turn", "kind"], name="event_session_turn_kind"),
            models.Index(fields=["session"], condition=models.Q(kind__in=EGRESS_KINDS), name="event_egress"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"

    def envelope(self) -> dict[str, Any]:
        """The event as it travels; `seq_end` is there only where the row spans several numbers."""
        envelope: dict[str, Any] = {
            "v": ENVELOPE_VERSION,
            "seq": self.seq,
            "gen": self.gen,
            "turn": str(self.turn) if self.turn else None,
            "ts": self.ts,
            "kind": self.kind,
            "data": self.data,
        }
        if self.seq_end != self.seq:
            envelope["seq_end"] = self.seq_end
        return envelope
