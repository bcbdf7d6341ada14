"""Errors that the gate itself answers, each in the shape that the SDKs of a wire can read."""

from __future__ import annotations

from typing import Any

import msgspec

from sidecar.gate.wires import WireName
from sidecar.protocol.messages import ErrorClass

_ANTHROPIC = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
}
_GOOGLE = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def body(wire: WireName, status: int, message: str, code: ErrorClass | str = "gate_refused") -> bytes:
    """The JSON of an error with `status`."""
    shaped: dict[str, Any]
    if wire == "anthropic":
        shaped = {"type": "error", "error": {"type": _ANTHROPIC.get(status, "api_error"), "message": message}}
    elif wire == "google":
        shaped = {"error": {"code": status, "message": message, "status": _GOOGLE.get(status, "INTERNAL")}}
    else:
        shaped = {"error": {"message": message, "type": "openagent_gate", "param": None, "code": code}}
    return msgspec.json.encode(shaped)
