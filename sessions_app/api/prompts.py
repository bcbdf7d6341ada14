"""The prompts of a session: queue, read, change and take back."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from openagent.lib import log
from openagent.lib.errors import NotFound
from sessions_app.api import access, answers, requests
from sessions_app.api.paging import ByNumber, validated
from sessions_app.models import Prompt
from sessions_app.services import prompts, state


class PromptListView(generics.GenericAPIView[Prompt]):
    """The prompts of one session."""

    pagination_class = ByNumber
    serializer_class = answers.PromptSerializer

    @extend_schema(operation_id="prompts_list", responses=answers.PromptSerializer(many=True), filters=False)
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """List the prompts of a session, the latest first."""
        page = self.paginate_queryset(access.prompts(request, id))
        return self.get_paginated_response(state.describe_prompts(id, page or []))

    @extend_schema(
        operation_id="prompts_create",
        request=requests.PostedPromptSerializer,
        responses={201: answers.PromptSerializer, 200: answers.PromptSerializer},
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Queue a prompt; it wakes the session. The same id and text again answer 200 and change nothing."""
        session = access.session(request, id)
        asked = validated(requests.PostedPromptSerializer(data=request.data))
        log.bind(turn=asked["id"])
        prompt, is_new = prompts.submit(
            session=session,
            author=access.user_of(request),
            prompt_id=asked["id"],
            text=asked["text"],
            due_at=asked.get("due_at"),
        )
        return Response(state.describe_prompts(id, [prompt])[0], status=201 if is_new else 200)


class PromptView(APIView):
    """One prompt."""

    @extend_schema(operation_id="prompts_get", responses=answers.PromptSerializer)
    def get(self, request: Request, id: uuid.UUID, prompt_id: uuid.UUID) -> Response:
        """Get a prompt."""
        prompt = access.prompts(request, id, turn=prompt_id).filter(pk=prompt_id).first()
        if prompt is None:
            raise NotFound("There is no such prompt in this session.")
        return Response(state.describe_prompts(id, [prompt])[0])

    @extend_schema(
        operation_id="prompts_change",
        request=requests.PromptChangeSerializer,
        responses=answers.PromptSerializer,
    )
    def patch(self, request: Request, id: uuid.UUID, prompt_id: uuid.UUID) -> Response:
        """Change the text of a prompt that still waits, or when it is sent."""
        session = access.session(request, id, turn=prompt_id)
        asked = validated(requests.PromptChangeSerializer(data=request.data))
        prompt = prompts.change(session=session, prompt_id=prompt_id, **asked)
        return Response(state.describe_prompts(id, [prompt])[0])

    @extend_schema(operation_id="prompts_withdraw", responses={204: None})
    def delete(self, request: Request, id: uuid.UUID, prompt_id: uuid.UUID) -> Response:
        """Take back a prompt that still waits."""
        prompts.withdraw(session=access.session(request, id, turn=prompt_id), prompt_id=prompt_id)
        return Response(status=204)
