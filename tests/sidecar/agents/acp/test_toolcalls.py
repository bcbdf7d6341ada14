"""What becomes of the news of tool calls."""

from __future__ import annotations

from typing import Any

from sidecar.agents.acp.toolcalls import ToolCalls
from sidecar.protocol import messages


def test_a_command_that_prints_is_said_to_run_though_its_agent_does_not_say_so() -> None:
    told: list[messages.Data] = []
    calls = ToolCalls(lambda _, data: told.append(data), "/workspace", "turn")

    def news(**fields: Any) -> None:
        calls.update({"toolCallId": "1", "kind": "execute", **fields}, name="", parent="")

    news(status="pending")
    news(_meta={"terminal_output_delta": {"data": "a line\n"}})
    news(status="completed")
    statuses = [data.status for data in told if isinstance(data, messages.ToolUpsert)]
    assert [status for status in statuses if status] == ["pending", "in_progress", "completed"]
