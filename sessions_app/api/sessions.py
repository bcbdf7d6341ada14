"""Sessions: list, make, get, change, delete, restore, start, stop, interrupt, and what they used."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from openagent.lib import log
from sessions_app.api import access, answers, requests
from sessions_app.api.paging import ByChange, SessionFilter, validated
from sessions_app.models import Session
from sessions_app.services import activity, prompts, sessions, state


class SessionListView(generics.GenericAPIView[Session]):
    """The sessions of whoever asks."""

    pagination_class = ByChange
    filterset_class = SessionFilter
    serializer_class = answers.SessionSerializer

    def get_queryset(self) -> QuerySet[Session]:
        return state.with_status(access.kept_sessions(self.request))

    @extend_schema(operation_id="sessions_list", responses=answers.SessionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List sessions, the one with the latest change first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(state.describe(page or []))

    @extend_schema(
        operation_id="sessions_create",
        request=requests.NewSessionSerializer,
        responses={201: answers.SessionSerializer, 200: answers.SessionSerializer},
        filters=False,
    )
    def post(self, request: Request) -> Response:
        """Make a session, if wished with its first prompt. The same id again answers 200 with what is."""
        asked = validated(requests.NewSessionSerializer(data=request.data))
        session_id = asked.pop("id", None)
        is_repeated = session_id is not None and access.sessions(request).filter(pk=session_id).exists()
        made = sessions.create(owner=access.user_of(request), session_id=session_id, **asked)
        log.bind(session=made.pk, turn=asked.get("prompt", {}).get("id"))
        return Response(state.describe_one(made.pk), status=200 if is_repeated else 201)


class SessionView(APIView):
    """One session."""

    @extend_schema(operation_id="sessions_get", responses=answers.SessionSerializer)
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """Get a session."""
        return Response(access.described(request, id))

    @extend_schema(
        operation_id="sessions_change",
        request=requests.SessionChangeSerializer,
        responses=answers.SessionSerializer,
    )
    def patch(self, request: Request, id: uuid.UUID) -> Response:
        """Change a session. Another provider or key puts it to sleep, or is refused while a turn is open."""
        session = access.session(request, id)
        changes = validated(requests.SessionChangeSerializer(data=request.data))
        sessions.change(session=session, **changes)
        activity.touch(session_id=id)
        return Response(access.described(request, id))

    @extend_schema(operation_id="sessions_delete", responses={204: None})
    def delete(self, request: Request, id: uuid.UUID) -> Response:
        """Delete a session and stop what runs in it. For a day, or as set up here, it can be restored."""
        sessions.delete(session=access.session(request, id))
        return Response(status=204)


class SessionRestoreView(APIView):
    """Undoing a deletion."""

    @extend_schema(operation_id="sessions_restore", request=None, responses=answers.SessionSerializer)
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Bring a deleted session back, asleep; harmless when it is not deleted."""
        sessions.restore(session=access.kept_session(request, id))
        return Response(access.described(request, id))


class SessionStartView(APIView):
    """Waking a session."""

    @extend_schema(operation_id="sessions_start", request=None, responses=answers.SessionSerializer)
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Wake a session; harmless when it is awake."""
        sessions.start(session=access.session(request, id))
        return Response(access.described(request, id))


class SessionStopView(APIView):
    """Putting a session to sleep."""

    @extend_schema(operation_id="sessions_stop", request=None, responses=answers.SessionSerializer)
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Stop the instance of a session; prompts that wait are kept. Harmless when it is asleep."""
        sessions.stop(session=access.session(request, id))
        return Response(access.described(request, id))


class SessionKeepView(APIView):
    """Keeping a session awake although nobody does anything."""

    @extend_schema(operation_id="sessions_keep", request=None, responses=answers.SessionSerializer)
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Keep a session awake for an hour from now. 409 when it is asleep."""
        activity.keep(session=access.session(request, id))
        return Response(access.described(request, id))

    @extend_schema(operation_id="sessions_let_sleep", responses={204: None})
    def delete(self, request: Request, id: uuid.UUID) -> Response:
        """Let a session sleep again when it has been idle for long enough."""
        activity.let_sleep(session=access.session(request, id))
        return Response(status=204)


class SessionInterruptView(APIView):
    """Stopping a turn."""

    @extend_schema(
        operation_id="sessions_interrupt",
        request=requests.InterruptSerializer,
        responses=answers.SessionSerializer,
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Ask the agent to stop a turn; harmless when the turn has ended."""
        session = access.session(request, id)
        asked = validated(requests.InterruptSerializer(data=request.data))
        log.bind(turn=asked.get("turn"))
        prompts.interrupt(session=session, turn=asked.get("turn"))
        return Response(access.described(request, id))
