"""Terminals: list, open, change, remove, and what is kept of their output. Their bytes flow over a socket."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_app.api import access, answers, requests
from sessions_app.api.paging import validated
from sessions_app.models import Terminal
from sessions_app.services import shapes, state, terminals, transcripts

_ASCIICAST = "application/x-asciicast"


class TerminalListView(APIView):
    """The terminals of one session."""

    @extend_schema(operation_id="terminals_list", responses=answers.TerminalListSerializer)
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """List the terminals of a session, the oldest first: they are few."""
        session = access.session(request, id)
        return Response({"results": state.describe_terminals(session.pk)})

    @extend_schema(
        operation_id="terminals_open",
        request=requests.NewTerminalSerializer,
        responses={201: answers.TerminalSerializer, 200: answers.TerminalSerializer},
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Open a terminal; it wakes the session. The same id again answers 200 with what is."""
        session = access.session(request, id)
        asked = validated(requests.NewTerminalSerializer(data=request.data))
        terminal, is_new = terminals.open_one(
            session=session,
            user=access.user_of(request),
            terminal_id=asked.get("id"),
            rows=asked["rows"],
            cols=asked["cols"],
            command=asked.get("command"),
            shows_agent=asked.get("agent", False),
            title=asked.get("title", ""),
        )
        return Response(_shape(id, terminal.pk), status=201 if is_new else 200)


class TerminalView(APIView):
    """One terminal."""

    @extend_schema(operation_id="terminals_get", responses=answers.TerminalSerializer)
    def get(self, request: Request, id: uuid.UUID, terminal_id: uuid.UUID) -> Response:
        """Get a terminal."""
        return Response(shapes.terminal(_terminal(request, id, terminal_id)))

    @extend_schema(
        operation_id="terminals_change",
        request=requests.TerminalChangeSerializer,
        responses=answers.TerminalSerializer,
    )
    def patch(self, request: Request, id: uuid.UUID, terminal_id: uuid.UUID) -> Response:
        """Change the title, or the size for as long as no viewer has said one."""
        terminal = _terminal(request, id, terminal_id)
        asked = validated(requests.TerminalChangeSerializer(data=request.data))
        terminals.change(terminal=terminal, **asked)
        return Response(_shape(id, terminal_id))

    @extend_schema(operation_id="terminals_close", responses={204: None})
    def delete(self, request: Request, id: uuid.UUID, terminal_id: uuid.UUID) -> Response:
        """End the programs of a terminal and remove it with what is kept of it."""
        terminals.remove(terminal=_terminal(request, id, terminal_id))
        return Response(status=204)


class TranscriptView(APIView):
    """What is kept of a terminal's output."""

    @extend_schema(
        operation_id="terminals_transcript",
        parameters=[requests.TranscriptQuerySerializer],
        responses={
            (200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, description="Text, nothing else."),
            (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, description="Bytes."),
            (200, _ASCIICAST): OpenApiResponse(OpenApiTypes.STR, description="A recording, version 2."),
        },
    )
    def get(self, request: Request, id: uuid.UUID, terminal_id: uuid.UUID) -> HttpResponse:
        """Read what is kept, as text, bytes or recording; also while the session sleeps."""
        terminal = _terminal(request, id, terminal_id)
        form = validated(requests.TranscriptQuerySerializer(data=request.query_params))["as"]
        kept = transcripts.read(terminal)
        if form == "raw":
            response = HttpResponse(kept.data, content_type="application/octet-stream")
        elif form == "asciicast":
            response = HttpResponse(transcripts.as_recording(terminal, kept), content_type=_ASCIICAST)
        else:
            response = HttpResponse(transcripts.whole_text(kept), content_type="text/plain; charset=utf-8")
        endings = {"raw": "raw", "asciicast": "cast", "text": "txt"}
        response["Content-Disposition"] = f'attachment; filename="terminal.{endings[form]}"'
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response["Cache-Control"] = "no-store"
        return response


def _terminal(request: Request, session_id: uuid.UUID, terminal_id: uuid.UUID) -> Terminal:
    """One terminal of a session that this user may see, or NotFound."""
    session = access.session(request, session_id)
    return terminals.get(session_id=session.pk, terminal_id=terminal_id)


def _shape(session_id: uuid.UUID, terminal_id: uuid.UUID) -> shapes.Shape:
    return shapes.terminal(terminals.get(session_id=session_id, terminal_id=terminal_id))
