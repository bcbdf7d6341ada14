"""Bodies of model calls on their way up: a JSON object, each name once, and nothing that leads elsewhere."""

from __future__ import annotations

import msgspec

from sidecar.http1 import BadRequest

MAX_VALUES = 1_000_000
"""A short text of many values would take up far more memory than it has."""

ELSEWHERE = frozenset(
    {
        *("apibase", "apiurl", "apikey", "baseurl", "baseapiurl", "endpoint", "endpointurl"),
        *("host", "hostname", "targeturl", "proxy", "proxies", "proxyurl", "proxyserver"),
        *("headers", "extraheaders", "defaultheaders", "extraquery", "defaultquery", "extrabody"),
        *("customllmprovider", "litellmparams", "litellmcredentialname", "modellist", "userconfig"),
        *("fallbacks", "contextwindowfallbacks", "authtoken", "authorization", "organization", "webhook"),
        *("awsaccesskeyid", "awssecretaccesskey", "awsstsendpoint", "awsbedrockruntimeendpoint"),
        *("azureadtoken", "vertexcredentials", "callbackurl", "successcallback", "failurecallback"),
    }
)
"""Fields of no model API by which servers between us and a model may be told where to send what they hold,
without the marks between their words."""


UNCOUNTED = "background"
"""With this the answer comes later, by a call that does not pass, and its numbers never."""


def checked(raw: bytes, *, asks_for_usage: bool) -> bytes:
    """The body as it goes up; a stream is asked for its usage if need be. BadRequest when it is no object.

    Of two fields with one name the last one passes, so that the provider reads what we read.
    """
    if raw.count(b",") > MAX_VALUES:
        raise BadRequest(413, "the request has more values than the limit")
    try:
        body = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        options = msgspec.json.decode(body.get("stream_options", b"null")) if asks_for_usage else None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest(400, "the request's body is not a JSON object") from error
    kept = {name: value for name, value in body.items() if name != UNCOUNTED and not _leads_elsewhere(name)}
    if asks_for_usage and bytes(kept.get("stream", b"")) == b"true":
        asked = {**(options if isinstance(options, dict) else {}), "include_usage": True}
        kept["stream_options"] = msgspec.Raw(msgspec.json.encode(asked))
    return msgspec.json.encode(kept)


def _leads_elsewhere(name: str) -> bool:
    return name.lower().replace("_", "").replace("-", "").replace(".", "") in ELSEWHERE
