"""Where a key is used, if its owner says so: which addresses that may be, and of which providers."""

from __future__ import annotations

import re

from keys_app.provider import Provider
from openagent.lib import safe_http
from openagent.lib.errors import AppError

LONGEST = 300
_MAX_PORT = 65535
_GIT_HOST = re.compile(r"https://(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::(?P<port>[0-9]{1,5}))?")


class BadAddress(AppError):
    """The base URL that came with a key cannot be used."""

    def __init__(self, message: str) -> None:
        error = {"message": message, "code": "bad_base_url"}
        super().__init__("bad_base_url", message, 400, errors={"base_url": [error]})


class KeyRequired(AppError):
    """A key is not sent to another address because somebody with a login says so: they must have the key."""

    def __init__(self) -> None:
        message = "To change where a key is used, paste the key again."
        error = {"message": message, "code": "key_required"}
        super().__init__("key_required", message, 400, errors={"key": [error]})


def check(provider: Provider, base_url: str) -> str:
    """The base URL as it is kept, empty for the provider's own; BadAddress when it cannot be one."""
    base_url = base_url.strip().rstrip("/")
    wanted = provider.wants_address
    if not base_url:
        if wanted == "required":
            raise BadAddress(
                f"{provider.name} needs the address of your endpoint: {provider.address_example}"
            )
        return ""
    if wanted == "fixed":
        raise BadAddress(f"The address of {provider.name} cannot be chosen.")
    if provider.kind == "git":
        return _of_git_host(provider, base_url)
    try:
        safe_http.check(base_url)
    except safe_http.Refused as error:
        raise BadAddress(error.message) from None
    if len(base_url) > LONGEST or "?" in base_url or "#" in base_url:
        raise BadAddress("An address is https://host/path and nothing more.")
    return base_url


def _of_git_host(provider: Provider, base_url: str) -> str:
    """A host and nothing more. Only the gate goes there, which looks at what its addresses are."""
    match = _GIT_HOST.fullmatch(base_url.lower())
    if match is None or len(base_url) > LONGEST or not 0 < int(match["port"] or 443) <= _MAX_PORT:
        raise BadAddress(f"Write where the host is and nothing more: {provider.address_example}")
    port = int(match["port"] or 443)
    return f"https://{match['host']}" if port == 443 else f"https://{match['host']}:{port}"
