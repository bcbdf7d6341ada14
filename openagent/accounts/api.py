"""setup/, me/ and its browsers, groups/, tokens/, ws-tickets/ and client-errors/."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib.auth import login
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, mixins, status, viewsets
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from openagent.accounts import browsers, first_run, logins, serializers, tickets, tokens
from openagent.accounts.models import AccessToken, Scope, User
from openagent.lib import log
from openagent.lib.api import CursorPagination, WholeList

logger = log.get(__name__)

_LONGEST_MESSAGE, _LONGEST_STACK, _LONGEST_PATH = 2_000, 16_000, 500


class SetupView(APIView):
    """The first set-up of an installation."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_scope = "setup"

    def get_throttles(self) -> list[Any]:
        return [ScopedRateThrottle()] if self.request.method == "POST" else []

    @extend_schema(responses=serializers.SetupStateSerializer)
    def get(self, request: Request) -> Response:
        """Whether the first account is still to be made."""
        return Response({"needed": first_run.is_needed(), "code_required": first_run.is_code_required()})

    @extend_schema(request=serializers.SetupSerializer, responses={201: serializers.MeSerializer})
    def post(self, request: Request) -> Response:
        """Makes the first account and signs in. 409 `already_set_up` when there is one."""
        # A page elsewhere must not be able to take over a new installation through its owner's browser.
        SessionAuthentication().enforce_csrf(request)
        form = serializers.SetupSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = first_run.complete(**form.validated_data)
        login(request._request, user)
        return Response(serializers.MeSerializer(user).data, status=status.HTTP_201_CREATED)


class MeView(APIView):
    """Who am I."""

    write_scope = Scope.ADMIN

    @extend_schema(responses=serializers.MeSerializer)
    def get(self, request: Request) -> Response:
        """The signed-in user."""
        if not isinstance(request.auth, AccessToken):
            browsers.note(request._request.session, request.headers.get("User-Agent", ""))
        return Response(serializers.MeSerializer(_user(request)).data)

    @extend_schema(request=serializers.ProfileSerializer, responses=serializers.MeSerializer)
    def patch(self, request: Request) -> Response:
        """Change the name."""
        form = serializers.ProfileSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = _user(request)
        user.display_name = form.validated_data["name"]
        user.save(update_fields=["display_name"])
        return Response(serializers.MeSerializer(user).data)


class BrowserListView(APIView):
    """Where the user is signed in."""

    write_scope = Scope.ADMIN

    @extend_schema(operation_id="me_browsers_list", responses=serializers.BrowserListSerializer)
    def get(self, request: Request) -> Response:
        """List the browsers in which the user is signed in."""
        found = browsers.of_user(_user(request), current_key=_session_key(request))
        return Response({"results": serializers.BrowserSerializer(found, many=True).data})

    @extend_schema(operation_id="me_browsers_sign_out_others", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Sign out everywhere but here; with a token, everywhere."""
        browsers.sign_out_others(_user(request), current_key=_session_key(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class BrowserView(APIView):
    """One browser."""

    write_scope = Scope.ADMIN

    @extend_schema(operation_id="me_browsers_sign_out", responses={204: None})
    def delete(self, request: Request, id: str) -> Response:
        """Sign out there."""
        browsers.sign_out(_user(request), id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class _NewestTokensFirst(CursorPagination):
    ordering = ("-created", "-id")


class GroupListView(generics.ListAPIView[Group]):
    """The groups that exist, to administrators; to others those that they are in."""

    queryset = Group.objects.none()
    serializer_class = serializers.GroupSerializer
    pagination_class = WholeList

    def get_queryset(self) -> QuerySet[Group]:
        user = _user(self.request)
        groups = Group.objects.all() if user.is_staff else Group.objects.filter(user=user)
        return groups.order_by("name")


class TokenViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[AccessToken],
):
    """The signed-in user's personal access tokens."""

    queryset = AccessToken.objects.none()
    serializer_class = serializers.AccessTokenSerializer
    pagination_class = _NewestTokensFirst
    write_scope = Scope.ADMIN

    def get_queryset(self) -> QuerySet[AccessToken]:
        return AccessToken.objects.filter(user=_user(self.request))

    @extend_schema(
        request=serializers.NewAccessTokenSerializer,
        responses={201: serializers.MadeAccessTokenSerializer},
    )
    def create(self, request: Request) -> Response:
        """Makes a token. Its text is in this answer and can never be read again."""
        form = serializers.NewAccessTokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        token, text = tokens.issue(
            user_id=_user(request).pk,
            name=given["name"],
            scopes=given.get("scopes", [Scope.READ]),
            expires_at=given["expires_at"] if "expires_at" in given else tokens.default_expiry(),
        )
        shown = serializers.MadeAccessTokenSerializer(token, context={"token": text})
        return Response(shown.data, status=status.HTTP_201_CREATED)


class WsTicketView(APIView):
    """Tickets for sockets."""

    write_scope = Scope.READ
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "ws_ticket"

    @extend_schema(request=None, responses={201: serializers.WsTicketSerializer})
    def post(self, request: Request) -> Response:
        """A ticket that opens one socket, for clients that cannot send a header with it."""
        answer = {
            "ticket": tickets.issue(_login(request)),
            "expires_in": round(tickets.LIFETIME.total_seconds()),
        }
        return Response(answer, status=status.HTTP_201_CREATED)


class ClientErrorView(APIView):
    """Errors that happened in a browser, for the log of the installation."""

    permission_classes = (AllowAny,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "client_error"

    @extend_schema(request=serializers.ClientErrorSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Writes the error to the log, beside the ids of the request and the user."""
        form = serializers.ClientErrorSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        with log.context(session=given.get("session")):
            logger.warning(
                "browser_error",
                browser_message=given["message"][:_LONGEST_MESSAGE],
                browser_stack=given.get("stack", "")[:_LONGEST_STACK],
                # Without its query: those have carried secrets before.
                browser_path=_path(given.get("url", ""))[:_LONGEST_PATH],
            )
        return Response(status=status.HTTP_204_NO_CONTENT)


def _user(request: Request) -> User:
    return cast(User, request.user)


def _session_key(request: Request) -> str | None:
    """Of the login session that asks; none if a token does."""
    return None if isinstance(request.auth, AccessToken) else request._request.session.session_key


def _login(request: Request) -> logins.Login:
    if isinstance(request.auth, AccessToken):
        return logins.of_token(request.auth)
    session_key = _session_key(request)
    if not session_key:
        raise PermissionDenied("Sign in with a password or a token.")
    return logins.of_cookie(_user(request).pk, session_key)


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
