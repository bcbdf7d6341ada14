"""What the gate tells of the provider during a turn: when it is in vain, and that the agent tries again.

Agents differ in what they say of their provider's failures, down to nothing at all. The gate knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sidecar.agents.base import ProviderNews
from sidecar.agents.turns import Turns
from sidecar.protocol.messages import AgentStatus, ErrorClass, ErrorData

MAX_ATTEMPTS = 8
GRACE_SECONDS = 2.0
"""How long an agent may take to end by itself after a failure that will not pass."""

_LASTING: frozenset[ErrorClass] = frozenset(
    {"budget_exceeded", "key_missing", "provider_auth", "provider_quota", "unknown_model"}
)


class ProviderWatch:
    """The model calls of the open turn, as far as they fail; `break_off` is called for each that does."""

    def __init__(self, news: ProviderNews, turns: Turns, break_off: Callable[[], None]) -> None:
        self._news = news
        self._turns = turns
        self._break_off = break_off
        self._attempts = 0
        self._failed_at = 0.0
        self._is_open = False
        self._lasting: ErrorData | None = None
        news.listen(self._failed)

    def begin(self) -> None:
        """A turn begins."""
        self._news.answered()
        self._attempts = 0
        self._is_open = True
        self._lasting = None

    def end(self) -> None:
        """It ends."""
        self._is_open = False

    @property
    def failure(self) -> ErrorData | None:
        """The last call's failure, None when it went well."""
        return self._news.failure

    @property
    def cause(self) -> ErrorData | None:
        """Why a turn failed, if the agent says that it did: a call for a title may have gone well since."""
        return self._news.failure or self._lasting

    def given_up(self) -> ErrorData | None:
        """Why the turn has to end, if the agent goes on in vain."""
        failure = self._news.failure
        if failure is None:
            self._attempts = 0
            return None
        waited = time.monotonic() - self._failed_at > GRACE_SECONDS
        is_over = failure.error_class in _LASTING or self._attempts >= MAX_ATTEMPTS
        return failure if is_over and waited else None

    def _failed(self, failure: ErrorData) -> None:
        if not self._is_open:
            return
        self._attempts += 1
        self._failed_at = time.monotonic()
        self._break_off()
        if failure.error_class in _LASTING:
            self._lasting = failure
        else:
            status = AgentStatus(
                status="retrying",
                message=failure.message,
                attempt=self._attempts,
                retry_at=failure.retry_at,
            )
            self._turns.emit("agent.status", status)
