"""Writes what agents do and do not into docs/agents.md: `python -m tests.contract.agents.table`."""

from __future__ import annotations

from pathlib import Path

from openagent.lib.data_dir import CHECKOUT
from sessions_app.services import agent_limits

PAGE = CHECKOUT / "docs" / "agents.md"
AGENTS = {
    "opencode": "OpenCode",
    "copilot": "Copilot",
    "claude": "Claude",
    "codex": "Codex",
    "gemini": "Gemini",
}
BEGIN, END = "<!-- made by tests/contract/agents/table.py -->", "<!-- end -->"


def made() -> str:
    """The table, and the reasons that it refers to."""
    lines = [
        "| | " + " | ".join(AGENTS.values()) + " |",
        "|---" * (len(AGENTS) + 1) + "|",
    ]
    reasons: list[str] = []
    for promise, title in agent_limits.PROMISES.items():
        cells = [_cell(agent, promise, reasons) for agent in AGENTS]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    for what, title in agent_limits.LEFT.items():
        cells = [_left(agent, what, reasons) for agent in AGENTS]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    notes = [f"{number}. {reason}" for number, reason in enumerate(reasons, 1)]
    return "\n".join([*lines, "", *notes])


def page(path: Path = PAGE) -> str:
    """The whole page with the table of today."""
    before, _, rest = path.read_text().partition(BEGIN)
    return f"{before}{BEGIN}\n{made()}\n{END}{rest.partition(END)[2]}"


def _cell(agent: str, promise: str, reasons: list[str]) -> str:
    limits = agent_limits.LIMITS.get(agent, {})
    found = {
        f"{AGENTS[agent]}: {reason}": "[" in name
        for name, reason in limits.items()
        if name.partition("[")[0] == promise
    }
    if not found:
        return "yes"
    reasons += [reason for reason in found if reason not in reasons]
    numbers = ", ".join(str(reasons.index(reason) + 1) for reason in found)
    return f"{'partly' if all(found.values()) else 'no'} ({numbers})"


def _left(agent: str, what: str, reasons: list[str]) -> str:
    if agent_limits.left(agent)[what]:
        return "yes"
    reason = f"All: {agent_limits.PROCESSES_END}"
    reasons += [reason] if reason not in reasons else []
    return f"no ({reasons.index(reason) + 1})"


if __name__ == "__main__":
    PAGE.write_text(page())
