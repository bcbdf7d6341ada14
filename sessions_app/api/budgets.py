"""Budgets over REST: what binds whoever asks, and one's own limits for one's sessions and keys."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from openagent.lib.api import WholeList
from openagent.lib.errors import NotFound
from sessions_app.api import access
from sessions_app.api.paging import validated
from sessions_app.models import Budget, Measure, Period
from sessions_app.models.budget import SUBJECTS
from sessions_app.services import budget_changes, budgets, shapes

_MOST = 2**53


class BudgetNumbersSerializer(serializers.Serializer[Any]):
    """Other numbers for a budget; the limit of money is in millionths of a US dollar."""

    limit = serializers.IntegerField(required=False, min_value=0, max_value=_MOST)
    soft_percent = serializers.IntegerField(required=False, min_value=1, max_value=100)


class NewBudgetSerializer(BudgetNumbersSerializer):
    """A limit for one subject; `subject` is its id, or `me` for the user who asks."""

    subject_kind = serializers.ChoiceField(choices=SUBJECTS)
    subject = serializers.CharField(max_length=36)
    measure = serializers.ChoiceField(choices=Measure.choices)
    limit = serializers.IntegerField(min_value=0, max_value=_MOST)
    period = serializers.ChoiceField(choices=Period.choices, default=Period.MONTH)


class BudgetSerializer(serializers.Serializer[Any]):
    """A budget and how it stands; `level` is `soft` when it is nearly used up, `hard` when it is.

    `subject_name` is how people call what it is for. `is_own`: a user set it for themselves. `can_change`:
    whoever asks may raise it or take it away.
    """

    id = serializers.UUIDField()
    subject_kind = serializers.ChoiceField(choices=SUBJECTS)
    subject = serializers.CharField()
    subject_name = serializers.CharField(allow_blank=True)
    measure = serializers.ChoiceField(choices=Measure.choices)
    limit = serializers.IntegerField()
    period = serializers.ChoiceField(choices=Period.choices)
    soft_percent = serializers.IntegerField()
    used = serializers.IntegerField()
    level = serializers.ChoiceField(choices=("soft", "hard"), allow_blank=True)
    message = serializers.CharField(allow_blank=True)
    is_own = serializers.BooleanField()
    can_change = serializers.BooleanField()


def _shape(request: Request, budget: Budget) -> shapes.Shape:
    user, standing = access.user_of(request), budgets.Standing(budget, budgets.used(budget))
    can_change = budget.owner_id == user.pk or user.has_perm("sessions_app.change_budget")
    name = _name(budget)
    shape = budgets.shape(standing) | {"subject_name": name, "can_change": can_change}
    if standing.level and budget.user_id != user.pk:
        # An administrator sees budgets of others, too.
        shape["message"] = standing.message_of(f"{budget.subject_kind} {name or 'without a name'}")
    return shape


def _name(budget: Budget) -> str:
    if budget.user is not None:
        return str(budget.user.get_full_name() or budget.user.email)
    if budget.group is not None:
        return str(budget.group.name)
    if budget.key is not None:
        return str(budget.key.label or f"{budget.key.provider} …{budget.key.hint}")
    return budget.session.title if budget.session is not None else ""


class BudgetListView(generics.GenericAPIView[Budget]):
    """The budgets that bind whoever asks; administrators see all."""

    pagination_class = WholeList
    serializer_class = BudgetSerializer
    write_scope = "admin"

    def get_queryset(self) -> QuerySet[Budget]:
        visible = Budget.objects.visible_to(access.user_of(self.request))
        return visible.select_related("owner", *SUBJECTS).order_by("created_at", "pk")

    @extend_schema(operation_id="budgets_list", responses=BudgetSerializer(many=True), filters=False)
    def get(self, request: Request) -> Response:
        """List budgets with what is used of them, the oldest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response([_shape(request, budget) for budget in page or []])

    @extend_schema(
        operation_id="budgets_create", request=NewBudgetSerializer, responses={201: BudgetSerializer}
    )
    def post(self, request: Request) -> Response:
        """Set a budget: for oneself, one's own session or key, or, as an administrator, for anybody."""
        asked = validated(NewBudgetSerializer(data=request.data))
        budget = budget_changes.create(user=access.user_of(request), **asked)
        return Response(_shape(request, budget), status=201)


class BudgetView(APIView):
    """One budget."""

    write_scope = "admin"

    @extend_schema(operation_id="budgets_get", responses=BudgetSerializer)
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """Get a budget."""
        return Response(_shape(request, _budget(request, id)))

    @extend_schema(operation_id="budgets_change", request=BudgetNumbersSerializer, responses=BudgetSerializer)
    def patch(self, request: Request, id: uuid.UUID) -> Response:
        """Raise or lower a budget; what waited for it goes on."""
        asked = validated(BudgetNumbersSerializer(data=request.data))
        budget = budget_changes.change(_budget(request, id), user=access.user_of(request), **asked)
        return Response(_shape(request, budget))

    @extend_schema(operation_id="budgets_delete", responses={204: None})
    def delete(self, request: Request, id: uuid.UUID) -> Response:
        """Take a budget away."""
        budget_changes.remove(_budget(request, id), user=access.user_of(request))
        return Response(status=204)


def _budget(request: Request, budget_id: uuid.UUID) -> Budget:
    """One that whoever asks may see, or NotFound."""
    found = Budget.objects.visible_to(access.user_of(request)).filter(pk=budget_id).first()
    if found is None:
        raise NotFound("There is no such budget.")
    return found
