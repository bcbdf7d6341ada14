"""What is particular about the responses API, as Codex speaks it."""

from __future__ import annotations

from sidecar.demo_model.scripts import Action
from sidecar.demo_model.tools import adapt
from sidecar.demo_model.wires.openai_responses import OpenAIResponses


def test_tools_that_are_told_in_the_midst_of_what_was_said_are_used() -> None:
    """Newer models have one that takes programs."""
    groups = [
        {"name": "functions", "tools": [{"type": "custom", "name": "exec"}]},
        {"name": "others", "tools": [{"type": "function", "name": "bash"}]},
    ]
    told = [{"type": "additional_tools", "tools": groups}, {"role": "user", "content": "/demo run true"}]
    asked = OpenAIResponses().read("/v1/responses", {"model": "demo", "input": told})
    assert set(asked.tools) == {"exec"}
    assert adapt(Action(do="bash", command="true"), asked.tools, "") == (
        "exec",
        'text(JSON.stringify(await tools.exec_command({cmd: "true"})));\n',
    )
