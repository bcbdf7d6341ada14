"""How a prompt ended: the agent's word for it, or its error, as ours."""

from __future__ import annotations

from sidecar.agents import text
from sidecar.agents.acp.calls import Refused
from sidecar.agents.failures import by_words, failure
from sidecar.protocol.messages import ErrorData, StopReason

AUTHENTICATION_REQUIRED = -32000

_REASONS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "max_tokens": "max_tokens",
    "max_turn_requests": "max_tokens",
    "refusal": "refused",
    "cancelled": "cancelled",
}


def stop_reason(said: object) -> StopReason:
    """Our reason for the agent's; one that we do not know is an ordinary end."""
    return _REASONS.get(said, "end_turn") if isinstance(said, str) else "end_turn"


def classified(refused: Refused) -> ErrorData:
    """The failure that the agent reports, when the gate saw none."""
    data = text.mapping(refused.data)
    details = [text.line(data.get(key), 2000) for key in ("details", "message", "error")]
    said = " ".join(part for part in (text.line(refused.said, 500), *details) if part)
    if refused.code == AUTHENTICATION_REQUIRED:
        return failure("provider_auth", said)
    return failure(by_words(said), said)
