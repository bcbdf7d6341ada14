"""Asks a provider whether it accepts a key, with the cheapest request that needs one. Nothing of the answer
but its status is kept or shown: a provider may well quote the key that it refuses."""

from __future__ import annotations

from dataclasses import dataclass

from keys_app.models import KeyStatus
from keys_app.providers import Provider
from openagent.lib import safe_http
from openagent.lib.redact import Secret

_LIMITS = safe_http.Limits(seconds=10.0, body_bytes=4 << 20)


@dataclass(frozen=True)
class Outcome:
    """What the provider said: a code, words for the owner, and the key's new status if that is now known."""

    code: str
    message: str
    status: KeyStatus | None


def ask(provider: Provider, key: Secret, *, own_base_url: str = "") -> Outcome:
    """The verdict of the provider, or of what is at the owner's address.

    One that cannot be reached gives a verdict too: that nothing is known.
    """
    if not provider.check_path:
        first = "prompt" if provider.kind == "models" else "clone"
        words = f"{provider.name} cannot be asked without a {first}: the first one tells"
        return _unknown("not_testable", f"{words} whether it is accepted.")
    try:
        answer = safe_http.fetch(
            "GET",
            f"{own_base_url or provider.base_url}/{provider.check_path}",
            headers=provider.headers(key),
            trusted=[provider.base_url] if provider.has_custom_base_url and not own_base_url else [],
            limits=_LIMITS,
        )
    except safe_http.Unreachable as error:
        return _unknown("unreachable", f"{provider.name} could not be reached. {error.message}")
    except safe_http.Refused as error:
        return _unknown("address_refused", f"The address of {provider.name} is not usable. {error.message}")
    return _verdict(provider, answer.status)


def _verdict(provider: Provider, status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome("ok", f"{provider.name} accepts this key.", KeyStatus.OK)
    # Google answers 400 to a key that it does not know.
    if status in {401, 403} or (status == 400 and provider.wire == "google"):
        return Outcome(
            "refused", f"{provider.name} refuses this key. Make a new one and replace it.", KeyStatus.REFUSED
        )
    if status == 402:
        return Outcome("no_credit", f"{provider.name} accepts this key, but has no credit.", KeyStatus.OK)
    if status == 429:
        return _unknown("rate_limited", f"{provider.name} is asked too often with this key. Try again later.")
    return _unknown("unexpected_answer", f"{provider.name} answered with status {status}. Try again later.")


def _unknown(code: str, message: str) -> Outcome:
    return Outcome(code, message, None)
