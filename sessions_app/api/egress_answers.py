"""What the platform answers about the way out of boxes, as the API's description shows it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from sessions_app.models import EgressBounds, EgressPolicy, EgressRule, Verdict


class EgressRuleSerializer(serializers.ModelSerializer[EgressRule]):
    """A host about which a user has decided; `session` is where they were asked, if they were."""

    session = serializers.UUIDField(source="session_id", allow_null=True)
    session_title = serializers.SerializerMethodField()
    verdict = serializers.ChoiceField(choices=Verdict.choices)

    class Meta:
        model = EgressRule
        fields = ("id", "host", "verdict", "session", "session_title", "created_at")

    def get_session_title(self, rule: EgressRule) -> str:
        """Empty for one that is gone, too."""
        return rule.session.title if rule.session and rule.session.deleted_at is None else ""


class EgressBoundsSerializer(serializers.ModelSerializer[EgressBounds]):
    """What users may choose at most, and what a new session has when nothing is chosen."""

    loosest = serializers.ChoiceField(choices=EgressPolicy.choices)
    default_policy = serializers.SerializerMethodField()
    default_ask = serializers.BooleanField()
    users_add_hosts = serializers.BooleanField()

    class Meta:
        model = EgressBounds
        fields = ("loosest", "default_policy", "default_ask", "users_add_hosts")

    def get_default_policy(self, bounds: EgressBounds) -> EgressPolicy:
        """Never more than the bound."""
        return bounds.bounded(bounds.default_policy)


class _AllowedSerializer(serializers.Serializer[Any]):
    """A host that is allowed, and who says so."""

    host = serializers.CharField()
    by = serializers.ChoiceField(choices=("administrator", "git", "registry", "session", "you"))


class _RefusedSerializer(serializers.Serializer[Any]):
    """A host that is never allowed, and who says so."""

    host = serializers.CharField()
    by = serializers.ChoiceField(choices=("administrator", "you"))


class ReachedHostSerializer(serializers.Serializer[Any]):
    """A host that a box reached, or was refused; `reason` is why it was last."""

    host = serializers.CharField()
    port = serializers.IntegerField()
    used = serializers.IntegerField()
    blocked = serializers.IntegerField()
    bytes_up = serializers.IntegerField()
    bytes_down = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)
    last_at = serializers.DateTimeField()


class SessionEgressSerializer(serializers.Serializer[Any]):
    """What holds for a session now: what its owner wants, within the administrator's bounds."""

    policy = serializers.ChoiceField(choices=EgressPolicy.choices)
    ask = serializers.BooleanField()
    loosest = serializers.ChoiceField(choices=EgressPolicy.choices)
    users_add_hosts = serializers.BooleanField()
    allowed = _AllowedSerializer(many=True)
    refused = _RefusedSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ReachedHostSerializer(many=True)
