"""What boxes may reach of the network: what a user decided for good, and what the administrator allows."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from openagent.lib import hosts

MOST_HOSTS = 500
"""In one of the administrator's lists."""


class EgressPolicy(models.TextChoices):
    """How much of the network there is, the least first."""

    NONE = "none", "Nothing"
    ALLOW_LIST = "allow-list", "Allowed hosts"
    FULL = "full", "Everything"

    @property
    def width(self) -> int:
        """The wider, the more is let through."""
        return list(EgressPolicy).index(self)


class Verdict(models.TextChoices):
    """What a user has decided about a host for all of their sessions."""

    ALWAYS = "always", "Always allowed"
    NEVER = "never", "Never allowed"


class EgressRuleQuerySet(models.QuerySet["EgressRule"]):
    """Filters that say who may see which rules."""

    def owned_by(self, user_id: uuid.UUID) -> EgressRuleQuerySet:
        """What this user may see."""
        return self.filter(owner_id=user_id)


class EgressRule(models.Model):
    """One host about which a user has decided for good; `session` is where they were asked, if they were."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="egress_rules")
    host = models.CharField(max_length=hosts.MAX_LENGTH)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    session = models.ForeignKey("sessions_app.Session", null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EgressRuleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "host"], name="one_egress_rule_per_host")]
        verbose_name = "egress rule"

    def __str__(self) -> str:
        return f"{self.host}: {self.verdict}"


def _patterns(text: str) -> None:
    try:
        hosts.normalise_all(hosts.lines(text), most=MOST_HOSTS)
    except hosts.BadHost as error:
        raise ValidationError(error.message) from None


class HostsField(models.TextField[str, str]):
    """Patterns of hosts, one on each line."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"blank": True, "validators": [_patterns], **options})


class EgressBounds(models.Model):
    """The administrator's word, in the one row that there is, and the registries that were found here.

    `registries` are `{tool, index, host, port, is_trusted}` each; a trusted one may have a private address,
    for it is the administrator's own. `registry_problems` are words for the administrator.
    """

    loosest = models.CharField(
        "most that users may choose",
        max_length=12,
        choices=EgressPolicy.choices,
        default=EgressPolicy.FULL,
        help_text="A session that wants more gets this.",
    )
    default_policy = models.CharField(
        "for new sessions", max_length=12, choices=EgressPolicy.choices, default=EgressPolicy.ALLOW_LIST
    )
    default_ask = models.BooleanField(
        "new sessions ask",
        default=True,
        help_text="About a host that is not allowed, instead of refusing it.",
    )
    users_add_hosts = models.BooleanField(
        "users may allow more hosts",
        default=True,
        help_text=(
            "Otherwise only the hosts below and the registries are allowed, nobody is asked, and what users "
            "have allowed before counts no more. Sessions that may reach everything still do: see above."
        ),
    )
    always = HostsField(
        "always allowed", help_text="One on each line: example.com, *.example.com, a.example.com:8443."
    )
    never = HostsField("never allowed", help_text="Whoever else allows them, and with every policy.")
    git_hosts = HostsField(
        "git hosts",
        help_text=(
            "Allowed as well, and sessions may have repositories there. They are shown to users by this "
            "name. One that is named whole, without *, may be in a private network."
        ),
    )
    registries = models.JSONField(default=list, editable=False)
    registry_problems = models.JSONField(default=list, editable=False)
    registries_at = models.DateTimeField("registries read at", null=True, editable=False)
    registry_misses = models.PositiveSmallIntegerField(default=0, editable=False)
    registry_rests = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "egress bounds"

    def __str__(self) -> str:
        return "What boxes may reach at most"

    @classmethod
    def current(cls) -> EgressBounds:
        """The row, or what holds while there is none."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    def bounded(self, policy: str) -> EgressPolicy:
        """This policy, or less."""
        return min(EgressPolicy(policy), EgressPolicy(self.loosest), key=lambda each: each.width)

    def named(self, *fields: str) -> list[str]:
        """The patterns of these lists of it, each once."""
        written = (line for name in fields for line in hosts.lines(getattr(self, name)))
        return list(dict.fromkeys(hosts.normalise(line) for line in written))
