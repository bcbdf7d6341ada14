"""Checks that an answer is a problem document."""

from __future__ import annotations

from typing import Any


def problem(response: Any, status: int, code: str) -> Any:
    """The body, which must be a problem document with this status and code."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"]
    return body
