"""What needs a person's consent: the session's mode, and what was allowed "for this session".

Agents are made to ask for everything that matters, always; what the mode or an earlier answer allows
is answered here. So a change of mode works at once, in sub-agents too, and nothing has to be restarted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sidecar.protocol.messages import AgentMode

MODES = (
    AgentMode(id="ask", name="Ask", description="Ask before each edit, command and download."),
    AgentMode(id="accept_edits", name="Accept edits", description="Edit files freely; ask before commands."),
    AgentMode(id="plan", name="Plan", description="Read and plan; change nothing."),
    AgentMode(id="auto", name="Auto", description="Ask only before leaving the workspace."),
)
DEFAULT_MODE = "ask"

MAX_RULES = 1000
_ALWAYS_ASKED = frozenset({"external_directory", "doom_loop"})


def known_mode(mode: str, fallback: str = DEFAULT_MODE) -> str:
    """`mode` if there is such a one, else `fallback`."""
    return mode if any(mode == known.id for known in MODES) else fallback


@dataclass
class Policy:
    """Decides what needs no person. What a person allowed lasts as long as this object."""

    mode: str = DEFAULT_MODE
    _rules: list[tuple[str, str]] = field(default_factory=list)

    def allows(self, permission: str, patterns: Sequence[str]) -> bool:
        """Whether this may happen without asking a person."""
        if self.mode == "auto" and permission not in _ALWAYS_ASKED:
            return True
        if self.mode == "accept_edits" and permission == "edit":
            return True
        if self.mode == "plan" and permission == "edit":
            return False
        return bool(patterns) and all(self._has_rule(permission, pattern) for pattern in patterns)

    def allow(self, permission: str, patterns: Sequence[str]) -> None:
        """A person allowed these patterns for the session."""
        self._rules.extend((permission, pattern) for pattern in patterns)
        del self._rules[MAX_RULES:]

    def _has_rule(self, permission: str, wanted: str) -> bool:
        return any(permission == known and matches(wanted, pattern) for known, pattern in self._rules)


def matches(wanted: str, pattern: str) -> bool:
    """Whether `pattern` covers `wanted`: `*` is anything, and `git *` covers `git` alone too.

    A question mark means itself here and any character to OpenCode: this allows less, never more.
    """
    if pattern.endswith(" *") and matches(wanted, pattern.removesuffix(" *")):
        return True
    first, *rest = pattern.split("*")
    if not rest:
        return wanted == pattern
    *middle, last = rest
    position, end = len(first), len(wanted) - len(last)
    if not wanted.startswith(first) or not wanted.endswith(last) or position > end:
        return False
    for piece in middle:
        position = wanted.find(piece, position, end)
        if position < 0:
            return False
        position += len(piece)
    return True
