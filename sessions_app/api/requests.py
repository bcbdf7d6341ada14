"""What clients may send: shape and types here, rules in the services."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.validators import MinValueValidator
from rest_framework import serializers

from openagent.lib import hosts
from sessions_app.models import EgressPolicy, Mode, Verdict
from sessions_app.services import permissions
from sidecar.protocol import terminals as wire

_LAST_NUMBER = 2**63 - 1
MAX_PAGE = 1000
MAX_COMMAND_BYTES = 32 * 1024

# How a day or a moment may be written.
_TIMES = ["iso-8601", "%Y-%m-%d"]
# Sums begin days before what is asked for: there must be some.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class NewPromptSerializer(serializers.Serializer[Any]):
    """A prompt with an id of the client's own: sending it again changes nothing."""

    id = serializers.UUIDField()
    # What is wrong with a text is said by the service, with a code for each case.
    text = serializers.CharField(allow_blank=True, trim_whitespace=False)


class PostedPromptSerializer(NewPromptSerializer):
    """One for a session that is there already; it is not sent before `due_at`."""

    due_at = serializers.DateTimeField(required=False, allow_null=True)


class PromptChangeSerializer(serializers.Serializer[Any]):
    """What can be changed of a prompt that still waits; without a `due_at` (null) it is sent at once."""

    text = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    due_at = serializers.DateTimeField(required=False, allow_null=True)


class EgressWishSerializer(serializers.Serializer[Any]):
    """What the box may reach. `hosts` are allowed as well; `ask`: about others, instead of refusing them."""

    policy = serializers.ChoiceField(required=False, choices=EgressPolicy.choices)
    ask = serializers.BooleanField(required=False)
    # What is wrong with one, and how many there may be, is said by the service.
    hosts = serializers.ListField(
        required=False, max_length=1000, child=serializers.CharField(max_length=1000, allow_blank=True)
    )


class NewRepositorySerializer(serializers.Serializer[Any]):
    """A repository over HTTPS that the workspace is to be a clone of, and the branch to begin with."""

    # What is wrong with either is said by the service.
    url = serializers.CharField(max_length=1000, allow_blank=True)
    branch = serializers.CharField(required=False, max_length=1000, allow_blank=True)


class NewEgressRuleSerializer(serializers.Serializer[Any]):
    """A host, such as `example.com`, `*.example.com` or `example.com:8443`, and what holds for it."""

    host = serializers.CharField(max_length=hosts.MAX_LENGTH)
    verdict = serializers.ChoiceField(choices=Verdict.choices)


class NewSessionSerializer(serializers.Serializer[Any]):
    """A new session; whatever is left out is chosen. With an id of the client's own it can be sent again."""

    id = serializers.UUIDField(required=False)
    agent = serializers.CharField(required=False, max_length=40)
    provider = serializers.CharField(required=False, max_length=40)
    model = serializers.CharField(required=False, max_length=200)
    key = serializers.UUIDField(required=False, allow_null=True)
    title = serializers.CharField(required=False, allow_blank=True)
    mode = serializers.ChoiceField(required=False, choices=Mode.choices)
    egress = EgressWishSerializer(required=False)
    repository = NewRepositorySerializer(required=False, allow_null=True)
    prompt = NewPromptSerializer(required=False)


class SessionChangeSerializer(serializers.Serializer[Any]):
    """What can be changed about a session; what is left out stays."""

    title = serializers.CharField(required=False, allow_blank=True)
    provider = serializers.CharField(required=False, max_length=40)
    model = serializers.CharField(required=False, max_length=200)
    key = serializers.UUIDField(required=False, allow_null=True)
    mode = serializers.ChoiceField(required=False, choices=Mode.choices)
    egress = EgressWishSerializer(required=False)
    archived = serializers.BooleanField(required=False)
    auto_resume = serializers.BooleanField(required=False)


class InterruptSerializer(serializers.Serializer[Any]):
    """The turn to stop; without it the one that is open."""

    turn = serializers.UUIDField(required=False, allow_null=True)


class PermissionAnswerSerializer(serializers.Serializer[Any]):
    """A decision. A question is answered with `once` and one list of answers for each of its questions.

    `always` and `never` are for hosts only, and hold in all sessions of whoever answers.
    """

    choice = serializers.ChoiceField(choices=permissions.CHOICES)
    message = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    answers = serializers.ListField(
        required=False,
        max_length=100,
        child=serializers.ListField(max_length=100, child=serializers.CharField(max_length=10_000)),
    )


class EventsQuerySerializer(serializers.Serializer[Any]):
    """Where to begin in the log: everything that is newer than number `after`."""

    after = serializers.IntegerField(default=0, min_value=0, max_value=_LAST_NUMBER)
    limit = serializers.IntegerField(default=200, min_value=1, max_value=MAX_PAGE)
    row = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=_LAST_NUMBER,
        help_text="Part of `next` only: rows that span several numbers overlap, so pages go by their first.",
    )


class FilesQuerySerializer(serializers.Serializer[Any]):
    """A folder of the workspace; an empty path is the workspace itself."""

    path = serializers.CharField(default="", allow_blank=True, max_length=4096, trim_whitespace=False)


class FileQuerySerializer(serializers.Serializer[Any]):
    """A file of the workspace; with `download` it is never shown as text."""

    path = serializers.CharField(max_length=4096, trim_whitespace=False)
    download = serializers.BooleanField(default=False)


class TerminalChangeSerializer(serializers.Serializer[Any]):
    """Another title or size; what is left out stays."""

    title = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    rows = serializers.IntegerField(required=False, min_value=1, max_value=wire.MAX_ROWS)
    cols = serializers.IntegerField(required=False, min_value=wire.MIN_COLS, max_value=wire.MAX_COLS)


class NewTerminalSerializer(serializers.Serializer[Any]):
    """A terminal with a size; `command` is a list of words, without it a login shell runs.

    With `agent` it is the agent's own interface, if it has one, and there is no command.
    """

    id = serializers.UUIDField(required=False)
    rows = serializers.IntegerField(min_value=1, max_value=wire.MAX_ROWS)
    cols = serializers.IntegerField(min_value=wire.MIN_COLS, max_value=wire.MAX_COLS)
    command = serializers.ListField(
        required=False,
        allow_null=True,
        max_length=100,
        child=serializers.CharField(max_length=10_000, trim_whitespace=False, allow_blank=True),
    )
    agent = serializers.BooleanField(required=False)
    title = serializers.CharField(required=False, allow_blank=True, max_length=1000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either the agent or a command."""
        if attrs.get("agent") and attrs.get("command"):
            raise serializers.ValidationError(
                {"command": "The agent's own interface takes no command."}, code="command_with_agent"
            )
        return attrs

    def validate_command(self, command: list[str] | None) -> list[str] | None:
        """The words together keep to MAX_COMMAND_BYTES."""
        if sum(len(word.encode()) for word in command or []) > MAX_COMMAND_BYTES:
            raise serializers.ValidationError(
                f"A command may have {MAX_COMMAND_BYTES // 1024} KB: put it into a file of the workspace.",
                code="command_too_long",
            )
        return command


class TranscriptQuerySerializer(serializers.Serializer[Any]):
    """In which form."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"as": serializers.ChoiceField(default="text", choices=("text", "raw", "asciicast"))}


class ExportQuerySerializer(serializers.Serializer[Any]):
    """In which form."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"as": serializers.ChoiceField(default="markdown", choices=("markdown", "json"))}


class UsageQuerySerializer(serializers.Serializer[Any]):
    """A span of time, by default the last 30 days, what to sum up by, and whose use.

    Only administrators see what everybody used, by `user` for instance.
    """

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "from": serializers.DateTimeField(
                required=False, input_formats=_TIMES, validators=[MinValueValidator(_EARLIEST)]
            ),
            "to": serializers.DateTimeField(
                required=False, input_formats=_TIMES, validators=[MinValueValidator(_EARLIEST)]
            ),
            "group": serializers.ChoiceField(
                default="day", choices=("day", "session", "model", "key", "user")
            ),
            "of": serializers.ChoiceField(default="me", choices=("me", "everybody")),
        }
