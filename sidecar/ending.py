"""How an instance may end: what its exit code says to whoever started it, and its log to the user."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sidecar.protocol import messages


class Exit(enum.IntEnum):
    """The exit code of the sidecar."""

    STOPPED = 0  # as it was asked to
    BUG = 1
    CONFIG = 2
    JOURNAL = 3  # the journal cannot be used
    START_FAILED = 4
    AGENT_ENDED = 5
    BOX_LOST = 6
    REFUSED = 7  # the platform has no use for this instance any more
    LINK_BROKEN = 8  # the platform lost what it had acknowledged


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Why an instance ends. `error` and `stop_reason` are what its open turn and its log get to say of it."""

    code: Exit
    reason: str
    error: messages.ErrorData | None = None
    stop_reason: messages.StopReason = "interrupted"


def stopped(reason: str) -> Ending:
    """It was asked to: `idle`, `user` or `shutdown`."""
    return Ending(code=Exit.STOPPED, reason=reason)


def failed(code: Exit, error_class: messages.ErrorClass, message: str) -> Ending:
    """Something broke; `message` tells a person what, and what to do."""
    error = messages.ErrorData(error_class=error_class, message=message)
    is_agents = code == Exit.AGENT_ENDED
    return Ending(
        code=code,
        reason=error_class,
        error=error,
        stop_reason="error" if is_agents else "interrupted",
    )
