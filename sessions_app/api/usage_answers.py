"""What the platform answers about usage, as the API's description shows it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.fields import SkipField

from sessions_app.api.answers import UsageSerializer


class _KeyField(serializers.UUIDField):
    """Null for calls without a key, and not there at all in other groups than that of keys."""

    def get_attribute(self, instance: Any) -> Any:
        if self.field_name not in instance:
            raise SkipField
        return instance[self.field_name]


class UsageGroupSerializer(UsageSerializer):
    """Totals of one day, session, model, key or user; only the fields of that group are there."""

    day = serializers.DateField(required=False)
    session = serializers.UUIDField(required=False)
    title = serializers.CharField(required=False, allow_blank=True)
    provider = serializers.CharField(required=False, allow_blank=True)
    model = serializers.CharField(required=False)
    key = _KeyField(required=False, allow_null=True)
    label = serializers.CharField(required=False, allow_blank=True)  # type: ignore[assignment]  # a field, not its own
    hint = serializers.CharField(required=False, allow_blank=True)
    user = serializers.UUIDField(required=False)
    email = serializers.CharField(required=False)
    storage_byte_days = serializers.IntegerField(
        required=False, help_text="Of days, sessions and users: see the summary's."
    )


class UnpricedSerializer(serializers.Serializer[Any]):
    """A model whose calls have no cost that is known."""

    provider = serializers.CharField()
    model = serializers.CharField()
    calls = serializers.IntegerField()


class BurnSerializer(serializers.Serializer[Any]):
    """What was spent of late, in millionths of a US dollar."""

    last_hour_micros = serializers.IntegerField()
    last_day_micros = serializers.IntegerField()


class UsageSummarySerializer(serializers.Serializer[Any]):
    """What a user's sessions used in a span of time.

    `storage_bytes` is what their disks take now, as last measured; null if none was. `storage_byte_days` adds
    up what each disk took on each day (of UTC) that the span touches: the most that was measured then, or
    else what was measured last. A deleted session counts as long as it can be restored.
    """

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "from": serializers.DateTimeField(),
            "to": serializers.DateTimeField(),
            "group": serializers.ChoiceField(choices=("day", "session", "model", "key", "user")),
            "totals": UsageSerializer(),
            "results": UsageGroupSerializer(many=True),
            "unpriced": UnpricedSerializer(many=True),
            "burn": BurnSerializer(),
            "instance_seconds": serializers.IntegerField(),
            "storage_bytes": serializers.IntegerField(allow_null=True),
            "storage_byte_days": serializers.IntegerField(),
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
    unpriced = UnpricedSerializer(many=True)
    instance_seconds = serializers.IntegerField()
    storage_bytes = serializers.IntegerField(allow_null=True)
    storage_byte_days = serializers.IntegerField()
