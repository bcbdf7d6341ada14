"""What a user asks of the agent; its id is also the id of the turn that it becomes."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class PromptState(models.TextChoices):
    """Forward only, but for `sent`, which is `queued` again when its instance died before the turn began."""

    QUEUED = "queued"
    SENT = "sent"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


OPEN_STATES = (PromptState.SENT, PromptState.RUNNING)


class PromptQuerySet(models.QuerySet["Prompt"]):
    """Filters over a session's queue."""

    def open(self) -> PromptQuerySet:
        """The turn that the agent has or is about to have: at most one per session."""
        return self.filter(state__in=OPEN_STATES)

    def queued(self) -> PromptQuerySet:
        """Prompts that wait, first one first: what goes on with a turn before what came after it."""
        return self.filter(state=PromptState.QUEUED).order_by("-resumes", "number")

    def due(self) -> PromptQuerySet:
        """Those that may run by now, by the database's clock."""
        return self.filter(Q(due_at=None) | Q(due_at__lte=Now()))

    def waiting(self) -> PromptQuerySet:
        """What a ready instance would be given now; one that was sent to an instance which is lost, too."""
        return self.filter(state__in=(PromptState.QUEUED, PromptState.SENT)).due()

    def unfinished(self) -> PromptQuerySet:
        """Everything that still has to happen, in order: what the agent has, and then as in `queued`."""
        unfinished = self.filter(state__in=(PromptState.QUEUED, *OPEN_STATES))
        return unfinished.alias(is_open=Q(state__in=OPEN_STATES)).order_by("-is_open", "-resumes", "number")


class Prompt(models.Model):
    """One message to the agent, made by the client with an id of its own so that repeating it is harmless.

    Before `due_at` it is not sent, and those behind it go first. `resumes` counts how often in a row, up to
    this one, the platform went on by itself with a turn that a provider had refused for a while.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    session = models.ForeignKey("sessions_app.Session", on_delete=models.CASCADE, related_name="prompts")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    number = models.PositiveIntegerField()
    text = models.TextField()
    state = models.CharField(max_length=12, choices=PromptState.choices, default=PromptState.QUEUED)
    instance = models.ForeignKey("sessions_app.Instance", null=True, blank=True, on_delete=models.SET_NULL)
    cancel_requested = models.BooleanField(default=False)
    error = models.JSONField(null=True, blank=True)
    # Of the request that brought it, for the logs of whoever carries it out.
    request_id = models.CharField(max_length=64, blank=True, default="")
    due_at = models.DateTimeField(null=True, blank=True)
    resumes = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = PromptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="one_prompt_per_number"),
            models.UniqueConstraint(
                fields=["session"], condition=Q(state__in=OPEN_STATES), name="one_open_turn"
            ),
        ]
        indexes = [
            models.Index(
                fields=["session", "number"], condition=Q(state=PromptState.QUEUED), name="prompt_queued"
            ),
        ]

    def __str__(self) -> str:
        return f"prompt {self.number} of {self.session_id} ({self.state})"
