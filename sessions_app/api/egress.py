"""The way out of the box: what holds for a session, what it reached, and what a user has decided for good."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_app.api import access, egress_answers, requests
from sessions_app.api.paging import ByLastEvent, validated
from sessions_app.models import EgressBounds, EgressRule, Event
from sessions_app.services import egress, egress_log


class SessionEgressView(generics.GenericAPIView[Event]):
    """What one session may reach, and what it did."""

    pagination_class = ByLastEvent
    serializer_class = egress_answers.SessionEgressSerializer
    queryset = Event.objects.none()

    @extend_schema(
        operation_id="egress_of_session",
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("limit", int)],
        responses=egress_answers.SessionEgressSerializer,
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """What holds for the box, and page by page the hosts that it reached or was refused, latest first."""
        session = access.session(request, id)
        rows: Any = self.paginate_queryset(egress_log.by_host(session.pk))
        page = self.get_paginated_response(egress_log.describe(session.pk, rows or []))
        return Response({**egress_log.policy(session), **page.data})


class EgressBoundsView(APIView):
    """What the administrator allows."""

    @extend_schema(operation_id="egress_bounds", responses=egress_answers.EgressBoundsSerializer)
    def get(self, request: Request) -> Response:
        """Get what users may choose, and what new sessions have when nothing is chosen."""
        return Response(egress_answers.EgressBoundsSerializer(EgressBounds.current()).data)


class EgressRuleListView(generics.GenericAPIView[EgressRule]):
    """What a user has decided about hosts, for all sessions."""

    serializer_class = egress_answers.EgressRuleSerializer

    def get_queryset(self) -> QuerySet[EgressRule]:
        return access.egress_rules(self.request)

    @extend_schema(operation_id="egress_rules_list", responses=egress_answers.EgressRuleSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the hosts that are always or never allowed, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="egress_rules_decide",
        request=requests.NewEgressRuleSerializer,
        responses={201: egress_answers.EgressRuleSerializer},
    )
    def post(self, request: Request) -> Response:
        """Decide about a host, for all sessions and at once; it replaces what was decided about it before."""
        asked = validated(requests.NewEgressRuleSerializer(data=request.data))
        rule = egress.decide(owner_id=access.user_of(request).pk, **asked)
        return Response(self.get_serializer(rule).data, status=201)


class EgressRuleView(APIView):
    """One of them."""

    @extend_schema(operation_id="egress_rules_revoke", responses={204: None})
    def delete(self, request: Request, id: uuid.UUID) -> Response:
        """Take it back, for running sessions too."""
        egress.revoke(access.egress_rule(request, id))
        return Response(status=204)
