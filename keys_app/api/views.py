"""keys/ and providers/."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle

from keys_app import providers, services, sharing
from keys_app.api import serializers
from keys_app.models import KeyUse, ProviderKey
from openagent.lib import log
from openagent.lib.api import CursorPagination, WholeList


class NewestFirst(CursorPagination):
    """Uses have a time of their own."""

    ordering = ("-at", "-id")


class KeyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ProviderKey]):
    """Provider keys: the signed-in user's, and to look at those that administrators share with them.

    A key is write-only: answers show its last four characters.
    """

    queryset = ProviderKey.objects.none()
    serializer_class = serializers.ProviderKeySerializer
    filterset_fields = ["provider"]
    write_scope = "admin"
    throttle_scope = "key_test"

    def get_queryset(self) -> QuerySet[ProviderKey]:
        user_id = _user_id(self.request)
        keys = ProviderKey.objects.select_related("owner").prefetch_related("groups")
        return keys.usable_by(user_id) if self.action in ("list", "retrieve") else keys.owned_by(user_id)

    def get_throttles(self) -> list[BaseThrottle]:
        return [ScopedRateThrottle()] if self.action == "test" else []

    @extend_schema(request=serializers.NewKeySerializer, responses={201: serializers.ProviderKeySerializer})
    def create(self, request: Request) -> Response:
        """Keeps a key, encrypted. It is checked for its shape only; `test` asks the provider."""
        given = _valid(serializers.NewKeySerializer(data=request.data))
        with log.protected(given["key"].reveal()):
            key = services.create(
                owner_id=_user_id(request),
                provider=given["provider"],
                value=given["key"],
                label=given.get("label", ""),
                base_url=given.get("base_url", ""),
                agrees_to_box=given.get("agrees_to_box", False),
            )
        return self._answer(key, status.HTTP_201_CREATED)

    @extend_schema(request=serializers.ReplacedKeySerializer)
    def update(self, request: Request, pk: str) -> Response:
        """Replaces the key itself; its id, label and sessions stay."""
        key = self.get_object()
        given = _valid(serializers.ReplacedKeySerializer(data=request.data))
        with log.protected(given["key"].reveal()):
            changed = services.replace(key, value=given["key"], base_url=given.get("base_url"))
        return self._answer(changed)

    @extend_schema(request=serializers.ChangedKeySerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Changes the label, or where the key is used: then it has to be pasted again."""
        key = self.get_object()
        given = _valid(serializers.ChangedKeySerializer(data=request.data))
        value = given.get("key")
        with log.protected(value.reveal() if value else ""):
            changed = services.change(
                key, label=given.get("label"), base_url=given.get("base_url"), value=value
            )
        return self._answer(changed)

    def destroy(self, request: Request, pk: str) -> Response:
        """Deletes the key for good; running sessions forget it."""
        services.delete(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=serializers.KeyTestSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Asks the provider whether it accepts the key."""
        key, outcome = services.test(self.get_object())
        shown = {"code": outcome.code, "message": outcome.message, "key": key}
        context = self.get_serializer_context()
        return Response(serializers.KeyTestSerializer(shown, context=context).data)

    @extend_schema(responses=serializers.KeyUseSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=NewestFirst, filter_backends=())
    def uses(self, request: Request, pk: str) -> Response:
        """Everything that was done with one's key, the newest first."""
        rows: Any = KeyUse.objects.filter(key=self.get_object().pk).select_related("user")
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(serializers.KeyUseSerializer(page, many=True).data)

    @extend_schema(request=serializers.NewSharingSerializer)
    @action(detail=True, methods=["put"])
    def sharing(self, request: Request, pk: str) -> Response:
        """Shares one's key with everyone or with groups, or with nobody any more; for administrators."""
        key = self.get_object()
        given = _valid(serializers.NewSharingSerializer(data=request.data))
        groups = sharing.named(given["groups"])
        return self._answer(sharing.share(key, everyone=given["everyone"], groups=groups))

    def _answer(self, key: ProviderKey, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(key).data, status=code)


class ProviderViewSet(viewsets.GenericViewSet[Any]):
    """The providers of models and the git hosts that this installation knows."""

    serializer_class = serializers.ProviderSerializer
    pagination_class = WholeList
    filter_backends = ()

    def get_queryset(self) -> Any:
        return providers.every()

    def get_serializer_context(self) -> dict[str, Any]:
        keys = ProviderKey.objects.usable_by(_user_id(self.request))
        return {**super().get_serializer_context(), "keyed": set(keys.values_list("provider", flat=True))}

    def list(self, request: Request) -> Response:
        """The whole catalogue, with the models that are offered for choice."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


def _user_id(request: Request) -> uuid.UUID:
    return cast(uuid.UUID, request.user.pk)


def _valid(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    given: dict[str, Any] = serializer.validated_data
    return given
