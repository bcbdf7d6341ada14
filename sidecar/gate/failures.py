"""Calls that fail before or while they are answered: the status for the box, the words for the person."""

from __future__ import annotations

import httpx2

from sidecar.gate import faults
from sidecar.protocol.messages import ErrorClass, ErrorData


class BrokenOff(Exception):
    """The provider's answer ended before its end: what the box has of it must not look whole."""


class TooLong(Exception):
    """The provider's answer is longer than any may be."""


class Failed(Exception):
    """The call failed before anything was answered: `status` for the box, `error` for the person."""

    def __init__(self, status: int, error_class: ErrorClass, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = faults.failure(error_class, message)


def unreachable(name: str, error: httpx2.HTTPError, *, idle_seconds: float) -> Failed:
    """The provider `name` did not begin to answer."""
    if isinstance(error, httpx2.PoolTimeout):
        return Failed(503, "provider_unavailable", "Too many model calls of this session run at once.")
    if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)):
        return Failed(502, "provider_unavailable", f"{name} cannot be reached. Try again in a while.")
    if isinstance(error, httpx2.TimeoutException):
        message = f"{name} did not answer for {idle_seconds:g} seconds. Try again."
        return Failed(504, "provider_unavailable", message)
    if isinstance(error, httpx2.RemoteProtocolError):
        return Failed(502, "provider_bad_response", f"{name} ended the call without an answer. Try again.")
    return Failed(502, "provider_unavailable", f"The connection to {name} broke. Try again.")


def broken(name: str, error: httpx2.HTTPError | TooLong, *, idle_seconds: float) -> ErrorData:
    """The provider `name` began to answer and did not come to the end."""
    if isinstance(error, TooLong):
        return faults.failure("provider_bad_response", f"The answer of {name} is longer than the limit.")
    if isinstance(error, httpx2.TimeoutException):
        message = f"{name} fell silent in the middle of its answer for {idle_seconds:g} seconds. Try again."
        return faults.failure("provider_unavailable", message)
    return faults.failure(
        "provider_bad_response", f"The answer of {name} broke off in the middle. Try again."
    )
