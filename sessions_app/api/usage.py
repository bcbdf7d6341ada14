"""What sessions used and cost, over REST and as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from openagent.lib.errors import AppError
from sessions_app.api import access, requests, usage_answers
from sessions_app.api.paging import validated
from sessions_app.services import usage

# What makes a spreadsheet take the text of a cell for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class CsvRenderer(BaseRenderer):
    """The rows of a summary, one line each; errors stay JSON."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """Lines as RFC 4180 has them. A text that looks like a formula gets an apostrophe in front."""
        if not isinstance(data, Mapping) or "results" not in data:
            encoded: bytes = JSONRenderer().render(data)
            return encoded
        rows = data["results"]
        text = io.StringIO()
        writer = csv.writer(text)
        names = list(rows[0]) if rows else [data["group"], *data["totals"]]
        writer.writerow(names)
        writer.writerows([[_cell(row[name]) for name in names] for row in rows])
        return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


class UsageView(APIView):
    """What all sessions used."""

    renderer_classes = (JSONRenderer, CsvRenderer)

    @extend_schema(
        operation_id="usage_get",
        parameters=[requests.UsageQuerySerializer],
        responses={
            (200, "application/json"): usage_answers.UsageSummarySerializer,
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request) -> Response:
        """Tokens, calls, cost and storage in a span of time, by day, session, model, key or user."""
        asked = validated(requests.UsageQuerySerializer(data=request.query_params))
        user = access.user_of(request)
        is_of_all = asked["of"] == "everybody" or asked["group"] == "user"
        if is_of_all and not user.has_perm("sessions_app.view_usageevent"):
            raise AppError("not_permitted", "Only administrators see what others used.", 403)
        summary = usage.summarise(
            owner_id=None if is_of_all else user.pk,
            since=asked.get("from"),
            until=asked.get("to"),
            group=asked["group"],
        )
        answer = Response(summary)
        if isinstance(getattr(request, "accepted_renderer", None), CsvRenderer):
            answer["Content-Disposition"] = f'attachment; filename="usage-by-{asked["group"]}.csv"'
        return answer


class SessionUsageView(APIView):
    """What one session used."""

    @extend_schema(operation_id="sessions_usage", responses=usage_answers.SessionUsageSerializer)
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """Tokens, calls, cost and storage of a session, calls by turn and by model."""
        return Response(usage.of_session(access.session(request, id).pk))
