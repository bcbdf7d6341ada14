"""The workspace's files, read through the live instance; names and bytes are hostile."""

from __future__ import annotations

import uuid

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_app.api import access, answers, requests
from sessions_app.api.paging import validated
from sessions_app.services import files

_BINARY = "application/octet-stream"
_TEXT = "text/plain; charset=utf-8"


class FileListView(APIView):
    """One folder."""

    @extend_schema(
        operation_id="files_list",
        parameters=[requests.FilesQuerySerializer],
        responses=answers.FileListSerializer,
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """List a folder of the workspace; 409 `asleep` when the session has no live instance."""
        session = access.session(request, id)
        asked = validated(requests.FilesQuerySerializer(data=request.query_params))
        return Response(files.list_folder(session_id=session.pk, path=asked["path"]))


class FileContentView(APIView):
    """One file."""

    @extend_schema(
        operation_id="files_content",
        parameters=[requests.FileQuerySerializer],
        responses={
            (200, _BINARY): OpenApiResponse(OpenApiTypes.BINARY, description="The file's bytes."),
            (200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, description="The file, if it is text."),
        },
    )
    def get(self, request: Request, id: uuid.UUID) -> StreamingHttpResponse:
        """Read a file of the workspace, streamed; 409 `asleep` when the session has no live instance."""
        session = access.session(request, id)
        asked = validated(requests.FileQuerySerializer(data=request.query_params))
        opened = files.begin(session_id=session.pk, path=asked["path"])
        shown = not asked["download"] and _is_text(opened.first)
        response = StreamingHttpResponse(files.stream(opened), content_type=_TEXT if shown else _BINARY)
        if opened.size is not None:
            response["Content-Length"] = str(opened.size)
        # Whatever the bytes are, a browser shall neither run them nor guess what they are.
        response["Content-Disposition"] = content_disposition_header(True, _file_name(asked["path"])) or ""
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response["Cache-Control"] = "no-store"
        return response


def _is_text(first: files.Slice) -> bool:
    if b"\0" in first.content:
        return False
    try:
        first.content.decode()
    except UnicodeDecodeError as error:
        # A slice, unlike a file, may end within a character.
        return not first.end and error.reason == "unexpected end of data"
    return True


def _file_name(path: str) -> str:
    """The last part of the path, with nothing in it that a header or a file system would trip over."""
    name = path.rstrip("/").rpartition("/")[2]
    safe = "".join(letter if letter.isprintable() and letter not in '"\\' else "_" for letter in name)
    return safe[:200] or "file"
