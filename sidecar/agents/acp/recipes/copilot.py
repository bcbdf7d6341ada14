"""GitHub Copilot CLI with a model of the user's own: no login, no call to GitHub."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.agents.acp.recipe import Recipe, Setting

_TYPES = {"openai-chat": "openai", "openai-responses": "openai", "anthropic": "anthropic"}


def command(setting: Setting) -> list[str]:
    """The native program."""
    program = f"{setting.folder}/copilot/node_modules/@github/copilot-linux-{setting.machine}/copilot"
    return [program, "--acp", "--model", setting.model]


def environment(setting: Setting) -> Mapping[str, str]:
    """Its provider is the gate."""
    wire = setting.context.provider.wire
    return {
        "COPILOT_AUTO_UPDATE": "false",
        "COPILOT_HOME": f"{setting.context.home}/.copilot",
        "COPILOT_MODEL": setting.model,
        "COPILOT_OFFLINE": "true",
        "COPILOT_PROVIDER_API_KEY": setting.context.token,
        "COPILOT_PROVIDER_BASE_URL": setting.gate if wire == "anthropic" else f"{setting.gate}/v1",
        "COPILOT_PROVIDER_TYPE": _TYPES.get(wire, "openai"),
        "COPILOT_PROVIDER_WIRE_API": "responses" if wire == "openai-responses" else "completions",
    }


RECIPE = Recipe(
    id="copilot",
    name="GitHub Copilot CLI",
    command=command,
    environment=environment,
    remarks=r"(?:Info|Error): .{0,4000}",
)
