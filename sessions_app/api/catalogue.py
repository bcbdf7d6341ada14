"""The catalogue of agents, over REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from openagent.lib.api import WholeList
from sessions_app.api import answers
from sessions_app.services import agents


class AgentListView(generics.GenericAPIView[Any]):
    """The agents that a session can have."""

    pagination_class = WholeList
    serializer_class = answers.AgentSerializer

    @extend_schema(operation_id="agents_list", responses=answers.AgentSerializer(many=True), filters=False)
    def get(self, request: Request) -> Response:
        """List agents with their versions, capabilities and the provider APIs that they can use."""
        page = self.paginate_queryset(agents.every())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
