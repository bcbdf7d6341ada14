"""Every error of the REST API is a problem document with a code."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from openagent.lib.api import PROBLEM, describe_problems
from openagent.lib.errors import AppError, NotFound


class Form(serializers.Serializer[dict[str, Any]]):
    name = serializers.CharField(max_length=3)
    rows = serializers.ListField(child=serializers.IntegerField())


def answer_to(error: Exception) -> Response:
    class View(APIView):
        authentication_classes = ()
        permission_classes = ()

        def get(self, request: object) -> Response:
            raise error

    response = View.as_view()(APIRequestFactory().get("/"))
    assert isinstance(response, Response)
    response.render()
    return response


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (AppError("no_instance", "None is free.", 503), 503, "no_instance"),
        (NotFound(), 404, "not_found"),
        (Http404("a model's name"), 404, "not_found"),
        (PermissionDenied("why"), 403, "permission_denied"),
        (exceptions.NotAuthenticated(), 403, "not_authenticated"),
        (exceptions.MethodNotAllowed("GET"), 405, "method_not_allowed"),
        (exceptions.ParseError(), 400, "parse_error"),
    ],
)
def test_an_error_becomes_a_problem(error: Exception, status: int, code: str) -> None:
    response = answer_to(error)
    assert response.status_code == status
    assert response["Content-Type"] == PROBLEM
    assert response.data is not None
    assert (response.data["status"], response.data["code"]) == (status, code)
    assert response.data.keys() >= {"type", "title", "detail"}
    assert "a model's name" not in str(response.data)


def test_an_error_may_carry_fields_but_not_replace_the_standard_ones() -> None:
    response = answer_to(AppError("answered", "Too late.", 409, first_by="Alice", status_text="x"))
    assert response.data == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Too late.",
        "code": "answered",
        "first_by": "Alice",
        "status_text": "x",
    }


def test_invalid_fields_are_named_with_codes() -> None:
    form = Form(data={"name": "long", "rows": [1, "x"]})
    assert not form.is_valid()
    response = answer_to(exceptions.ValidationError(form.errors))
    assert response.data is not None
    assert response.data["code"] == "invalid"
    assert response.data["errors"]["name"][0]["code"] == "max_length"
    assert response.data["errors"]["rows"][1][0]["code"] == "invalid"


def test_being_too_fast_says_when_to_come_back() -> None:
    response = answer_to(exceptions.Throttled(wait=7))
    assert (response.status_code, response["Retry-After"]) == (429, "7")
    assert response.data is not None
    assert (response.data["code"], response.data["retry_after"]) == ("slow_down", 7)


def test_a_bug_is_not_dressed_up_as_an_answer() -> None:
    with pytest.raises(ZeroDivisionError):
        answer_to(ZeroDivisionError())


def test_every_described_operation_may_answer_a_problem() -> None:
    schema = {"paths": {"/x": {"get": {"responses": {"200": {}}}, "parameters": []}}}
    operation = describe_problems(schema)["paths"]["/x"]["get"]
    assert PROBLEM in operation["responses"]["default"]["content"]
