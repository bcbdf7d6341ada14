"""Bodies of requests that have to be changed on their way up. Only what is changed is taken apart."""

from __future__ import annotations

import msgspec

from sidecar.http1 import BadRequest

MAX_VALUES = 1_000_000
"""A short text of many values would take up far more memory than it has."""


def with_usage(raw: bytes) -> bytes:
    """A chat completion's body that asks for usage if it asks for a stream. BadRequest when it is none."""
    if raw.count(b",") > MAX_VALUES:
        raise BadRequest(413, "the request has more values than the limit")
    try:
        body = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        if bytes(body.get("stream", b"")) != b"true":
            return raw
        options = msgspec.json.decode(body.get("stream_options", b"null"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest(400, "the request's body is not a JSON object") from error
    asked = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    body["stream_options"] = msgspec.Raw(msgspec.json.encode(asked))
    return msgspec.json.encode(body)
