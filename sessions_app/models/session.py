"""The user's durable conversation and workspace, and the fence that guards its log."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import connections, models

from sessions_app.models.egress import EgressPolicy


class Mode(models.TextChoices):
    """How much the agent may do without asking."""

    ASK = "ask", "Ask"
    ACCEPT_EDITS = "accept_edits", "Accept edits"
    PLAN = "plan", "Plan"
    AUTO = "auto", "Auto"


ACTIVE: dict[str, Any] = {"idle_passes": 0, "sleeps_at": None}
"""What whoever does something with a session writes on its row."""


class SessionQuerySet(models.QuerySet["Session"]):
    """Filters that say who may see which sessions."""

    def hold(self, session_id: uuid.UUID) -> bool:
        """Keeps everybody else from changing what belongs to this session until the transaction ends.

        The one order of locks: whoever changes rows of a session in a transaction takes this row first, so
        nobody waits for somebody who waits for them, and what is read after it stays so. False: no such row.
        SQLite lets one transaction write at a time, so there it only reads.
        """
        return self.select_for_update(no_key=True).filter(pk=session_id).values_list("pk").first() is not None

    def hold_all(self) -> None:
        """`hold` for each of these: whoever needs several at a time takes them in the order of their ids."""
        if connections[self.db].features.has_select_for_update:
            list(self.select_for_update(no_key=True).order_by("pk").values_list("pk"))

    def present(self) -> SessionQuerySet:
        """Sessions that nobody deleted."""
        return self.filter(deleted_at=None)

    def restorable(self) -> SessionQuerySet:
        """Sessions that were deleted and can still come back."""
        return self.filter(deleted_at__isnull=False, purge_begun_at=None)

    def unpurged(self) -> SessionQuerySet:
        """Sessions that are more than the row that says what was used in them."""
        return self.filter(purged_at=None)

    def owned_by(self, user_id: uuid.UUID) -> SessionQuerySet:
        """What this user may see."""
        return self.present().filter(owner_id=user_id)


class Session(models.Model):
    """A conversation with an agent and the workspace that belongs to it.

    `generation` is the number of the live instance or, when none is live, of the next one; together with
    `last_seq` it is the fence: every append to the log moves `last_seq` by a compare-and-set on both.
    `is_paused` says that nothing wakes the session by itself: the user stopped it, or it could not start.
    The reaper counts `idle_passes`; when the limit comes near, `sleeps_at` tells people when that will be.
    With `auto_resume` a turn that the provider refused for a while goes on by itself at the time it named.
    Until `kept_until` it is not put to sleep for being idle.
    Up to `folded_seq` there is nothing left to fold in the log.
    With `budgets_due` its budgets are about to be looked at, with every call that is stored by then.
    A deleted session can be restored until `purge_begun_at`; since `purged_at` its disk and its log are gone,
    and the row is left for what was used in it.
    `egress_policy`, `egress_ask` and `egress_hosts` are what its owner wants; what holds says `egress.of`.
    `repository_url` is what its workspace is a clone of, with `repository_branch` checked out first.
    `disk` is the one that it adopted with a member of the pool; without it has one of its own name. It took
    `disk_bytes` at `disk_measured_at`, of at most `disk_limit_bytes` where that is enforced; it can take
    something else since when `disk_generation` is not the last, or lives. `disk_misses` times in a row it
    could not be told, so it is left out for another `disk_rests` passes.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="agent_sessions"
    )
    title = models.CharField(max_length=200, blank=True)
    agent = models.CharField(max_length=40, default="opencode")
    provider = models.CharField(max_length=40, default="demo")
    model = models.CharField(max_length=200)
    disk = models.CharField(max_length=64, blank=True)
    disk_bytes = models.BigIntegerField(null=True, blank=True)
    disk_limit_bytes = models.BigIntegerField(null=True, blank=True)
    disk_measured_at = models.DateTimeField(null=True, blank=True)
    disk_generation = models.PositiveIntegerField(default=0)
    disk_misses = models.PositiveSmallIntegerField(default=0)
    disk_rests = models.PositiveSmallIntegerField(default=0)
    key = models.ForeignKey("keys_app.ProviderKey", null=True, blank=True, on_delete=models.SET_NULL)
    mode = models.CharField(max_length=20, choices=Mode.choices, default=Mode.ASK)
    repository_url = models.CharField(max_length=300, blank=True)
    repository_branch = models.CharField(max_length=200, blank=True)
    egress_policy = models.CharField(
        max_length=12, choices=EgressPolicy.choices, default=EgressPolicy.ALLOW_LIST
    )
    egress_ask = models.BooleanField(default=True)
    egress_hosts = models.JSONField(default=list, blank=True)

    generation = models.PositiveIntegerField(default=1)
    last_seq = models.BigIntegerField(default=0)
    folded_seq = models.BigIntegerField(default=0)
    prompt_count = models.PositiveIntegerField(default=0)
    state_version = models.BigIntegerField(default=1)
    idle_passes = models.PositiveIntegerField(default=0)
    sleeps_at = models.DateTimeField(null=True, blank=True)
    kept_until = models.DateTimeField(null=True, blank=True)
    auto_resume = models.BooleanField(default=False)
    is_paused = models.BooleanField(default=False)
    budgets_due = models.BooleanField(default=False)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    purge_begun_at = models.DateTimeField(null=True, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "-updated_at"], name="session_owner_updated")]

    def __str__(self) -> str:
        return self.title or str(self.id)

    @property
    def volume(self) -> str:
        """The name of the disk that every instance of this session mounts."""
        return self.disk or str(self.id)
