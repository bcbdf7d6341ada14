"""What the platform answers about usage, as the API's description shows it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from sessions_app.api.answers import UsageSerializer


class UsageGroupSerializer(UsageSerializer):
    """Totals of one day, of one session, or of one model; only the fields of that group are there."""

    day = serializers.DateField(required=False)
    session = serializers.UUIDField(required=False)
    title = serializers.CharField(required=False, allow_blank=True)
    provider = serializers.CharField(required=False)
    model = serializers.CharField(required=False)


class UsageSummarySerializer(serializers.Serializer[Any]):
    """What a user's sessions used in a span of time."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "from": serializers.DateTimeField(),
            "to": serializers.DateTimeField(),
            "group": serializers.ChoiceField(choices=("day", "session", "model")),
            "totals": UsageSerializer(),
            "results": UsageGroupSerializer(many=True),
        }


class TurnUsageSerializer(UsageSerializer):
    """Totals of one turn; null for calls outside of any."""

    turn = serializers.UUIDField(allow_null=True)


class ModelUsageSerializer(UsageSerializer):
    """Totals of one model."""

    provider = serializers.CharField()
    model = serializers.CharField()


class SessionUsageSerializer(serializers.Serializer[Any]):
    """What one session used."""

    totals = UsageSerializer()
    by_turn = TurnUsageSerializer(many=True)
    by_model = ModelUsageSerializer(many=True)
