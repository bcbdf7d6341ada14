"""What the platform answers about a session's log, as the API's description shows it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from sessions_app.api.answers import ErrorDataSerializer, TokensSerializer
from sidecar.protocol import messages


class EventSerializer(serializers.Serializer[Any]):
    """One fact of the log; `seq_end` only where it spans several numbers. The kinds: docs/events.md."""

    v = serializers.IntegerField()
    seq = serializers.IntegerField()
    seq_end = serializers.IntegerField(required=False)
    gen = serializers.IntegerField()
    turn = serializers.UUIDField(allow_null=True)
    ts = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=list(messages.KINDS))
    data = serializers.DictField()  # type: ignore[assignment]  # a field of ours, not its own


class EventPageSerializer(serializers.Serializer[Any]):
    """Events in the order of their numbers."""

    next = serializers.URLField(allow_null=True)
    results = EventSerializer(many=True)


class AgentInfoSerializer(serializers.Serializer[Any]):
    """Which agent program ran last."""

    id = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()


class TurnSerializer(serializers.Serializer[Any]):
    """One prompt until the agent was done. What items look like: docs/events.md."""

    id = serializers.UUIDField()
    seq = serializers.IntegerField()
    prompt = serializers.CharField(allow_blank=True)
    by = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    status = serializers.ChoiceField(choices=("running", "ended"))
    stop_reason = serializers.ChoiceField(
        choices=messages.StopReason.__args__,  # type: ignore[attr-defined]
        allow_null=True,
    )
    error = ErrorDataSerializer(allow_null=True)
    items = serializers.ListField(child=serializers.DictField())
    plan = serializers.ListField(child=serializers.DictField())
    usage = TokensSerializer()


class NoticeSerializer(serializers.Serializer[Any]):
    """Something that happened outside of any turn."""

    seq = serializers.IntegerField()
    kind = serializers.CharField()
    ts = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]  # a field of ours, not its own


class ConversationSerializer(serializers.Serializer[Any]):
    """The log, folded; `omitted_before` only where it is too long: then what came before is left out."""

    last_seq = serializers.IntegerField()
    gen = serializers.IntegerField()
    agent = AgentInfoSerializer(allow_null=True)
    config = serializers.DictField(allow_null=True)
    turns = TurnSerializer(many=True)
    notices = NoticeSerializer(many=True)
    omitted_before = serializers.IntegerField(required=False)
