"""The log of a session as it is stored, and folded into a conversation."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_app.api import access, at_once, log_answers, requests
from sessions_app.api.paging import validated
from sessions_app.services import conversation, logs, markdown


class EventListView(APIView):
    """The log of one session."""

    @extend_schema(
        operation_id="events_list",
        parameters=[requests.EventsQuerySerializer],
        responses=log_answers.EventPageSerializer,
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """Read the log from a number on, page by page. A row may span the numbers from `seq` to `seq_end`."""
        session = access.session(request, id)
        asked = validated(requests.EventsQuerySerializer(data=request.query_params))
        page = logs.newer(
            session_id=session.pk, after=asked["after"], after_row=asked.get("row"), limit=asked["limit"]
        )
        following = _address(request, asked, page.events[-1]["seq"]) if page.has_more else None
        return Response({"next": following, "results": page.events})


class ConversationView(APIView):
    """What the log tells."""

    @extend_schema(operation_id="conversation_get", responses=log_answers.ConversationSerializer)
    def get(self, request: Request, id: uuid.UUID) -> HttpResponse:
        """Get the conversation: turns with messages, thoughts, tools, permissions and the plan.

        As a whole, unless its log is beyond all measure: then `omitted_before` is the first number told of.
        Of one user two are made at a time; who waits for too long gets 429 with `Retry-After`.
        """
        session = access.session(request, id)
        with at_once.turn(session.owner_id):
            # Written here, so that its turn lasts until only the text is left.
            told = JSONRenderer().render(conversation.build(session.pk))
        return HttpResponse(told, content_type="application/json")


class ConversationExportView(APIView):
    """The conversation to keep."""

    @extend_schema(
        operation_id="conversation_export",
        parameters=[requests.ExportQuerySerializer],
        responses={
            (200, "text/markdown"): OpenApiResponse(OpenApiTypes.STR, description="For people."),
            (200, "application/json"): OpenApiResponse(
                OpenApiTypes.OBJECT, description="As `conversation/`."
            ),
        },
    )
    def get(self, request: Request, id: uuid.UUID) -> HttpResponse:
        """Download the conversation as Markdown or JSON; as often at a time as `conversation/`."""
        session = access.session(request, id)
        form = validated(requests.ExportQuerySerializer(data=request.query_params))["as"]
        with at_once.turn(session.owner_id):
            told = conversation.build(session.pk)
            content = (
                JSONRenderer().render(told)
                if form == "json"
                else markdown.render(told, title=session.title).encode()
            )
        kind, ending = _FORMS[form]
        response = HttpResponse(content, content_type=kind)
        response["Content-Disposition"] = f'attachment; filename="conversation.{ending}"'
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response["Cache-Control"] = "no-store"
        return response


_FORMS = {"markdown": ("text/markdown; charset=utf-8", "md"), "json": ("application/json", "json")}


def _address(request: Request, asked: Mapping[str, Any], row: int) -> str:
    query = urlencode({"after": asked["after"], "limit": asked["limit"], "row": row})
    return request.build_absolute_uri(f"{request.path}?{query}")
