"""The log of a session as it is stored, and folded into a conversation."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_app.api import access, at_once, log_answers, requests
from sessions_app.api.paging import validated
from sessions_app.services import conversation, logs


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


def _address(request: Request, asked: Mapping[str, Any], row: int) -> str:
    query = urlencode({"after": asked["after"], "limit": asked["limit"], "row": row})
    return request.build_absolute_uri(f"{request.path}?{query}")
