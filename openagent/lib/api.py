"""What every REST endpoint shares: errors as problem documents, and paging by cursor."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, pagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from openagent.lib.errors import AppError

PROBLEM = "application/problem+json"


class CursorPagination(pagination.CursorPagination):
    """Newest first; `?limit=` chooses the size of a page, `next` and `previous` are whole addresses."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = ("-created_at", "-id")


class WholeList(CursorPagination):
    """The same envelope for lists that are short and always whole, such as a catalogue."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        return list(queryset)

    def get_next_link(self) -> None:
        return None

    def get_previous_link(self) -> None:
        return None

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return []


class BodyTooLarge(AppError):
    """A request's body is longer than the installation allows."""

    def __init__(self) -> None:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
        super().__init__("body_too_large", f"A request may have {limit} KB.", 413)


def problem(status: int, code: str, detail: str, **fields: object) -> dict[str, object]:
    """The body of an error (RFC 9457); `code` is the stable part that clients may rely on."""
    title = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    return {**fields, **body}


def problem_response(status: int, code: str, detail: str, **fields: object) -> JsonResponse:
    """The same for code that is outside of REST framework, such as middleware and Django's own handlers."""
    return JsonResponse(problem(status, code, detail, **fields), status=status, content_type=PROBLEM)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answers anticipated errors; for anything else it answers None, and the request fails loudly."""
    if isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    if isinstance(error, AppError):
        body, status, headers = (
            problem(error.status, error.code, error.message, **error.fields),
            error.status,
            {},
        )
    else:
        api_error = _as_api_error(error)
        if api_error is None:
            return None
        body, status, headers = _problem_of(api_error), api_error.status_code, _headers(api_error)
    set_rollback()
    return Response(body, status=status, headers=headers, content_type=PROBLEM)


def not_found(request: HttpRequest, *args: object, **kwargs: object) -> JsonResponse:
    """The view behind every address under /api/ that nothing else answers."""
    return problem_response(404, "not_found", "There is no such address.")


def _as_api_error(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, Http404):
        return exceptions.NotFound("There is no such thing here.")
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    return error if isinstance(error, exceptions.APIException) else None


def _problem_of(error: exceptions.APIException) -> dict[str, object]:
    status = error.status_code
    if isinstance(error, exceptions.ValidationError):
        return problem(status, "invalid", "Some fields are not valid.", errors=_errors(error.detail))
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else str(error.default_code)
    detail = str(error.detail)
    if isinstance(error, exceptions.Throttled):
        return problem(status, "slow_down", detail, retry_after=getattr(error, "wait", None))
    return problem(status, code, detail)


def _errors(detail: Any) -> Any:
    """Field name to list of `{message, code}`; errors of no single field are under `non_field_errors`."""
    if isinstance(detail, list):
        if all(isinstance(item, exceptions.ErrorDetail) for item in detail):
            return {"non_field_errors": [_error(item) for item in detail]}
        return [_errors(item) if item else {} for item in detail]
    return {
        name: [_error(item) for item in value]
        if isinstance(value, list) and all(isinstance(item, exceptions.ErrorDetail) for item in value)
        else _errors(value)
        for name, value in detail.items()
    }


def _error(detail: exceptions.ErrorDetail) -> dict[str, str]:
    return {"message": str(detail), "code": str(detail.code)}


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def describe_problems(result: dict[str, Any], **kwargs: object) -> dict[str, Any]:
    """Adds the problem document to the OpenAPI description as every operation's default answer."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = {
        "type": "object",
        "description": "An error (RFC 9457). Rely on `code`; `detail` is for people and may change.",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string"},
            "errors": {"type": "object", "additionalProperties": True},
        },
        "required": ["type", "title", "status", "detail", "code"],
        "additionalProperties": True,
    }
    answer = {
        "description": "What went wrong.",
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path in result.get("paths", {}).values():
        for operation in path.values():
            if isinstance(operation, dict) and "responses" in operation:
                operation["responses"]["default"] = answer
    return result
