"""What does not belong to one session: the catalogue of agents, and what all sessions of a user used."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from openagent.lib.api import WholeList
from sessions_app.api import access, answers, requests, usage_answers
from sessions_app.api.paging import validated
from sessions_app.services import agents, usage


class AgentListView(generics.GenericAPIView[Any]):
    """The agents that a session can have."""

    pagination_class = WholeList
    serializer_class = answers.AgentSerializer

    @extend_schema(operation_id="agents_list", responses=answers.AgentSerializer(many=True), filters=False)
    def get(self, request: Request) -> Response:
        """List agents with their versions, capabilities and the provider APIs that they can use."""
        page = self.paginate_queryset(agents.every())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class UsageView(APIView):
    """What all sessions used."""

    @extend_schema(
        operation_id="usage_get",
        parameters=[requests.UsageQuerySerializer],
        responses=usage_answers.UsageSummarySerializer,
    )
    def get(self, request: Request) -> Response:
        """Tokens and calls in a span of time, by day, session or model."""
        asked = validated(requests.UsageQuerySerializer(data=request.query_params))
        return Response(
            usage.summarise(
                owner_id=access.user_of(request).pk,
                since=asked.get("from"),
                until=asked.get("to"),
                group=asked["group"],
            )
        )
