"""What agents ask: the inbox over all sessions, and answering."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_app.api import access, answers, requests
from sessions_app.api.paging import ByQuestion, PermissionFilter, validated
from sessions_app.models import Permission
from sessions_app.services import permissions, shapes


class PermissionListView(generics.GenericAPIView[Permission]):
    """What agents ask whoever asks here."""

    pagination_class = ByQuestion
    filterset_class = PermissionFilter
    serializer_class = answers.PermissionSerializer

    def get_queryset(self) -> QuerySet[Permission]:
        return access.permissions(self.request)

    @extend_schema(operation_id="permissions_list", responses=answers.PermissionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List permissions over all sessions, the latest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([shapes.permission(row) for row in page or []])


class PermissionAnswerView(APIView):
    """Answering."""

    @extend_schema(
        operation_id="permissions_answer",
        request=requests.PermissionAnswerSerializer,
        responses=answers.PermissionSerializer,
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Answer. The first answer wins; a later one gets 409 `already_answered` with who was first."""
        permission = access.permission(request, id)
        asked = validated(requests.PermissionAnswerSerializer(data=request.data))
        answered = permissions.answer(
            user=access.user_of(request),
            permission=permission,
            choice=asked["choice"],
            message=asked.get("message", ""),
            answers=asked.get("answers"),
        )
        return Response(shapes.permission(answered))
