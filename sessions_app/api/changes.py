"""What changed in the workspace, read through the live instance, and files put back; the text is hostile."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_app.api import access
from sessions_app.api.paging import validated
from sessions_app.services import changes
from sidecar.protocol import changes as wire

_BASES = ("start", "turn")


class ChangesQuerySerializer(serializers.Serializer[Any]):
    """What the workspace is compared with: as it was at the session's `start`, or at its newest `turn`'s."""

    base = serializers.ChoiceField(choices=_BASES, default="start")


class ChangeQuerySerializer(ChangesQuerySerializer):
    """One file of the list, with so many lines around; `ignore_space` leaves out what is only that."""

    path = serializers.CharField(max_length=4096, trim_whitespace=False)
    old_path = serializers.CharField(default="", allow_blank=True, max_length=4096, trim_whitespace=False)
    lines_around = serializers.IntegerField(default=3, min_value=0, max_value=wire.MAX_CONTEXT)
    ignore_space = serializers.BooleanField(default=False)


class RevertSerializer(serializers.Serializer[Any]):
    """A file, and what it is to be again: as in `start`, in `turn`, or in the `undo` of an earlier answer."""

    base = serializers.RegexField(r"^(start|turn|[0-9a-f]{40})\Z")
    path = serializers.CharField(max_length=4096, trim_whitespace=False)
    old_path = serializers.CharField(default="", allow_blank=True, max_length=4096, trim_whitespace=False)


class ChangedFileSerializer(serializers.Serializer[Any]):
    """One changed file. Lines that were not counted are null; `version` differs when its content does."""

    path = serializers.CharField()
    old_path = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(choices=("added", "modified", "deleted", "renamed", "retyped"))
    kind = serializers.ChoiceField(choices=("file", "link", "repository"))
    version = serializers.CharField()
    additions = serializers.IntegerField(allow_null=True)
    deletions = serializers.IntegerField(allow_null=True)
    binary = serializers.BooleanField()


class ChangeListSerializer(serializers.Serializer[Any]):
    """The changed files by path; `total` are there, `unread` could not be read; `since` is the base's."""

    base = serializers.ChoiceField(choices=_BASES)
    since = serializers.DateTimeField(allow_null=True)
    files = ChangedFileSerializer(many=True)
    total = serializers.IntegerField()
    unread = serializers.IntegerField()


class ChangeDiffSerializer(serializers.Serializer[Any]):
    """A patch in git's form, empty when nothing differs; `truncated` when it was longer than is shown."""

    path = serializers.CharField()
    patch = serializers.CharField(allow_blank=True)
    truncated = serializers.BooleanField()


class RevertedSerializer(serializers.Serializer[Any]):
    """`undo` is the base with which the same call takes it back, for an hour at least."""

    path = serializers.CharField()
    undo = serializers.CharField()


class ChangeListView(APIView):
    """All changed files."""

    @extend_schema(
        operation_id="changes_list", parameters=[ChangesQuerySerializer], responses=ChangeListSerializer
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """List what changed, whoever changed it; 409 `asleep` without a live instance, or `unavailable`."""
        session = access.session(request, id)
        asked = validated(ChangesQuerySerializer(data=request.query_params))
        return Response(changes.list_changes(session_id=session.pk, **asked))


class ChangeDiffView(APIView):
    """One changed file."""

    @extend_schema(
        operation_id="changes_diff", parameters=[ChangeQuerySerializer], responses=ChangeDiffSerializer
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """Show how one file differs; 409 `asleep` without a live instance, or `unavailable`."""
        session = access.session(request, id)
        asked = validated(ChangeQuerySerializer(data=request.query_params))
        return Response(changes.diff(session_id=session.pk, **asked))


class ChangeRevertView(APIView):
    """One file, made again what it was."""

    @extend_schema(operation_id="changes_revert", request=RevertSerializer, responses=RevertedSerializer)
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Make a file again what it was; 409 `not_kept` for what is too large or no file."""
        session = access.session(request, id)
        asked = validated(RevertSerializer(data=request.data))
        return Response(changes.revert(session_id=session.pk, **asked))
