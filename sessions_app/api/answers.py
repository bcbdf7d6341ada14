"""What the platform answers, as the API's description shows it.

The services make these shapes (`shapes`, `conversation`); a test holds both to each other.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from sessions_app.models import EgressPolicy, InstanceState, Mode, PermissionState, PromptState, TerminalState
from sessions_app.services import agents
from sessions_app.services.state import Status
from sidecar.protocol import messages


class PersonSerializer(serializers.Serializer[Any]):
    """Somebody as others may see them."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class TokensSerializer(serializers.Serializer[Any]):
    """Tokens as providers counted them, and model calls. `input` contains `cached`, `output` `reasoning`."""

    input = serializers.IntegerField()
    output = serializers.IntegerField()
    cached = serializers.IntegerField()
    reasoning = serializers.IntegerField()
    calls = serializers.IntegerField()


class UsageSerializer(TokensSerializer):
    """The same with what was `written` to a cache, part of `input`, and the cost in millionths of a dollar.

    The cost of `unpriced_calls` is not known and not in `cost_micros`. Of `estimated_calls` the provider told
    no numbers: they count as the most that they may have been.
    """

    written = serializers.IntegerField()
    cost_micros = serializers.IntegerField()
    unpriced_calls = serializers.IntegerField()
    estimated_calls = serializers.IntegerField()


class StageSerializer(serializers.Serializer[Any]):
    """A start-up stage that was reached, this long after the first: that the instance was asked for."""

    name = serializers.CharField()
    elapsed_ms = serializers.IntegerField()


class InstanceErrorSerializer(serializers.Serializer[Any]):
    """Why an instance is gone or never came."""

    code = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)


class InstanceSerializer(serializers.Serializer[Any]):
    """The live instance of a session or else its latest."""

    id = serializers.UUIDField()
    generation = serializers.IntegerField()
    state = serializers.ChoiceField(choices=InstanceState.choices)
    driver = serializers.CharField()
    stages = StageSerializer(many=True)
    progress = serializers.CharField(allow_blank=True, help_text="How far the stage under way is.")
    error = InstanceErrorSerializer(allow_null=True)


class EgressWishesSerializer(serializers.Serializer[Any]):
    """What the owner wants the box to reach. What holds within the administrator's bounds: `egress/`."""

    policy = serializers.ChoiceField(choices=EgressPolicy.choices)
    ask = serializers.BooleanField()
    hosts = serializers.ListField(child=serializers.CharField())


class RepositorySerializer(serializers.Serializer[Any]):
    """What the workspace is a clone of; without a branch, of the repository's usual one."""

    url = serializers.CharField()
    branch = serializers.CharField(allow_blank=True)


class DiskSerializer(serializers.Serializer[Any]):
    """What a session's disk took when it was last measured, in bytes; no `limit` where none is enforced."""

    bytes = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True)
    measured_at = serializers.DateTimeField()


class SessionSerializer(serializers.Serializer[Any]):
    """A session with everything that its header and its entry in a list show."""

    id = serializers.UUIDField()
    title = serializers.CharField(allow_blank=True)
    agent = serializers.CharField()
    provider = serializers.CharField()
    model = serializers.CharField()
    key = serializers.UUIDField(allow_null=True)
    mode = serializers.ChoiceField(choices=Mode.choices)
    egress = EgressWishesSerializer()
    repository = RepositorySerializer(allow_null=True)
    disk = DiskSerializer(allow_null=True, help_text="Null until it is measured for the first time.")
    status = serializers.ChoiceField(choices=Status.choices)
    status_detail = serializers.CharField(allow_blank=True)
    auto_resume = serializers.BooleanField(
        help_text="A turn that the provider refused for a while goes on by itself at the time it named."
    )
    paused = serializers.BooleanField()
    archived = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    last_seq = serializers.IntegerField()
    generation = serializers.IntegerField()
    sleeps_at = serializers.DateTimeField(
        allow_null=True,
        help_text="When it is put to sleep if nobody does anything; null while that is far off.",
    )
    kept_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then it is not put to sleep for being idle. It may be over already."
    )
    queued_prompts = serializers.IntegerField()
    pending_permissions = serializers.IntegerField()
    usage = UsageSerializer()
    instance = InstanceSerializer(allow_null=True)
    turn = serializers.UUIDField(allow_null=True)
    deleted_at = serializers.DateTimeField(required=False, help_text="Of deleted sessions only.")
    restorable_until = serializers.DateTimeField(required=False, help_text="Of deleted sessions only.")


class ErrorDataSerializer(serializers.Serializer[Any]):
    """A failure in words, by class; `retry_at` when the provider named a time."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "class": serializers.ChoiceField(choices=messages.ErrorClass.__args__),  # type: ignore[attr-defined]
            "message": serializers.CharField(),
            "retry_at": serializers.CharField(required=False),
        }


class PromptSerializer(serializers.Serializer[Any]):
    """A prompt; its id is also the id of the turn that it becomes. Those that wait have a position."""

    id = serializers.UUIDField()
    text = serializers.CharField()
    state = serializers.ChoiceField(choices=PromptState.choices)
    position = serializers.IntegerField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True, help_text="It is not sent before then.")
    created_at = serializers.DateTimeField()
    by = PersonSerializer(allow_null=True)
    error = ErrorDataSerializer(allow_null=True)


class QuestionOptionSerializer(serializers.Serializer[Any]):
    """One answer that an agent offers."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field of ours, not its own
    description = serializers.CharField(allow_blank=True)


class QuestionSerializer(serializers.Serializer[Any]):
    """One question; `custom` allows a free answer, `multiple` several."""

    question = serializers.CharField()
    header = serializers.CharField(allow_blank=True)
    options = QuestionOptionSerializer(many=True)
    multiple = serializers.BooleanField()
    custom = serializers.BooleanField()


class PermissionSerializer(serializers.Serializer[Any]):
    """What an agent asks of a person, and how it was answered. `rule` is what "for this session" allows."""

    id = serializers.UUIDField()
    session = serializers.UUIDField()
    session_title = serializers.CharField(allow_blank=True)
    turn = serializers.UUIDField(allow_null=True)
    type = serializers.ChoiceField(choices=messages.PermissionType.__args__)  # type: ignore[attr-defined]
    title = serializers.CharField(allow_blank=True)
    tool_call_id = serializers.CharField(allow_blank=True)
    command = serializers.CharField(allow_blank=True)
    cwd = serializers.CharField(allow_blank=True)
    path = serializers.CharField(allow_blank=True)
    diff = serializers.CharField(allow_blank=True)
    host = serializers.CharField(allow_blank=True)
    rule = serializers.CharField(allow_blank=True)
    questions = QuestionSerializer(many=True)
    state = serializers.ChoiceField(choices=PermissionState.choices)
    choice = serializers.ChoiceField(
        choices=messages.PermissionChoice.__args__,  # type: ignore[attr-defined]
        allow_blank=True,
    )
    message = serializers.CharField(allow_blank=True)
    answers = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    by = serializers.ChoiceField(choices=("user", "platform", "box"), allow_blank=True)
    answered_by = PersonSerializer(allow_null=True)
    asked_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)


class TerminalSerializer(serializers.Serializer[Any]):
    """A terminal. A negative exit code is a signal; `recording`: the times of its output are kept.

    `agent`: its program is the agent's own interface.
    """

    id = serializers.UUIDField()
    title = serializers.CharField(allow_blank=True)
    command = serializers.ListField(child=serializers.CharField(), allow_null=True)
    agent = serializers.BooleanField()
    rows = serializers.IntegerField()
    cols = serializers.IntegerField()
    state = serializers.ChoiceField(choices=TerminalState.choices)
    generation = serializers.IntegerField(allow_null=True)
    recording = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    opened_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    exit_code = serializers.IntegerField(allow_null=True)
    message = serializers.CharField(allow_blank=True)
    has_transcript = serializers.BooleanField()
    by = PersonSerializer(allow_null=True)


class TerminalListSerializer(serializers.Serializer[Any]):
    """All terminals of a session that nobody removed."""

    results = TerminalSerializer(many=True)


class FileEntrySerializer(serializers.Serializer[Any]):
    """One name in a folder."""

    name = serializers.CharField()
    type = serializers.ChoiceField(choices=("file", "dir", "link", "other"))
    size = serializers.IntegerField()
    modified_at = serializers.DateTimeField(allow_null=True)


class FileListSerializer(serializers.Serializer[Any]):
    """A folder, its own folders first; `truncated` when there is more than is shown."""

    path = serializers.CharField(allow_blank=True)
    entries = FileEntrySerializer(many=True)
    truncated = serializers.BooleanField()


class SurvivesSerializer(serializers.Serializer[Any]):
    """What is still there when a session wakes up."""

    files = serializers.BooleanField()
    conversation = serializers.BooleanField()
    processes = serializers.BooleanField()


class KnownLimitSerializer(serializers.Serializer[Any]):
    """One promise that an agent does not keep, and why."""

    promise = serializers.CharField()
    reason = serializers.CharField()


class AgentSerializer(serializers.Serializer[agents.Agent]):
    """One coding agent: what it can do, and which providers' APIs it can use."""

    id = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()
    wires = serializers.ListField(child=serializers.CharField())
    capabilities = serializers.DictField(child=serializers.BooleanField())
    survives_resume = SurvivesSerializer()
    is_custom = serializers.BooleanField()
    is_installed = serializers.BooleanField()
    notes = serializers.ListField(child=serializers.CharField())
    known_limits = KnownLimitSerializer(many=True)
