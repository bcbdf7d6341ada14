"""How a call of the Agent Client Protocol fails, and the names of the calls."""

from __future__ import annotations

from sidecar.agents import text
from sidecar.agents.base import AgentError

PROTOCOL_VERSION = 1

INITIALIZE = "initialize"
AUTHENTICATE = "authenticate"
NEW = "session/new"
LOAD = "session/load"
RESUME = "session/resume"
PROMPT = "session/prompt"
CANCEL = "session/cancel"
SET_MODE = "session/set_mode"
ASK_PERMISSION = "session/request_permission"
ASK_QUESTION = "elicitation/create"


class Unreachable(AgentError):
    """The agent does not answer."""


class Refused(AgentError):
    """The agent answered with an error: hostile bytes, never shown as they are."""

    def __init__(self, method: str, code: int, said: str, data: object) -> None:
        super().__init__(f"It refused {method} (code {text.number(abs(code))}).")
        self.code = code
        self.said = said
        self.data = data
